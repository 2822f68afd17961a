"""The roster office's list for the centre: which entitlements there are, where their home is and how much they hold.

A JSON file beside the roster, since the roster itself is sealed to the terminals: `{"site", "roster_version",
"entitlements": [{"entitlement_id", "home", "amount"}]}`. Rules: ids and amounts only, nothing about persons. It must
list every entitlement of the roster, or the centre refuses to grant it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from edge_agent.core.model import Entitlement
from edge_agent.ports import RosterError
from edge_agent.roster_schema import Closed, EntitlementId, Identifier, Version, first_problem
from edge_agent.whole_file import write_whole

_LARGEST_FILE_BYTES = 500_000_000
"""Two million entitlements, the most a roster may hold, at 250 bytes each."""


class ListedEntitlement(Closed):
    """home: the terminal that may redeem it offline; None: the centre. amount: all of it, in its unit."""

    entitlement_id: EntitlementId
    home: Identifier | None
    amount: Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=3)]


class RosterList(Closed):
    """What the centre needs to know of one roster."""

    site: Identifier
    roster_version: Version
    entitlements: Annotated[list[ListedEntitlement], Field(max_length=2_000_000)]


def roster_list(
    site: str, roster_version: int, terminals: Sequence[str], entitlements: Iterable[Entitlement]
) -> RosterList:
    """The list of a roster that is sealed to these terminals. Raises pydantic's ValidationError.

    A roster for one terminal alone is redeemed there even where no home is named, so its list names that terminal.
    """
    sole = terminals[0] if len(set(terminals)) == 1 else None
    return RosterList(
        site=site,
        roster_version=roster_version,
        entitlements=[
            ListedEntitlement(
                entitlement_id=entitlement.entitlement_id,
                home=entitlement.home if entitlement.home is not None else sole,
                amount=entitlement.benefit.amount,
            )
            for entitlement in entitlements
        ],
    )


def write_roster_list(path: Path, content: RosterList) -> None:
    """Write the list. Raises RosterError."""
    write_whole(path, content.model_dump_json(indent=1).encode() + b"\n")


def read_roster_list(path: Path) -> RosterList:
    """Read and check a list. Raises RosterError naming file, field and remedy."""
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise RosterError(f"{path}: over {_LARGEST_FILE_BYTES} bytes; it is no roster list")
        content = RosterList.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RosterError(f"{path}: can't be read ({error.strerror}); correct the path") from error
    except ValidationError as error:
        raise RosterError(f"{path}: {first_problem(error)}; let the roster office write the list anew") from error
    seen: set[str] = set()
    for place, entitlement in enumerate(content.entitlements):
        if entitlement.entitlement_id in seen:
            raise RosterError(f"{path}: entitlements.{place}: {entitlement.entitlement_id} appears twice")
        seen.add(entitlement.entitlement_id)
    return content
