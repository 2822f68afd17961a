"""`edge-agent centre authorise`: a small reference centre that answers terminals which ask for an entitlement.

Rules: the command lets TerminalError through to `__main__`. Logs go to standard error, ids only.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import TypeAdapter, ValidationError

from edge_agent import logs
from edge_agent.command_line import Subparsers
from edge_agent.key_files import load_signing_key, load_verifying_key
from edge_agent.ports import UplinkError
from edge_agent.roster_list import read_roster_list
from edge_agent.roster_schema import Identifier
from edge_agent.settings import LogSettings

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)
_log = structlog.get_logger("centre")


def add_commands(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `centre`."""
    centre = subparsers.add_parser("centre", help="the reference centre: answers terminals that ask")
    parser = centre.add_subparsers(required=True, metavar="authorise").add_parser(
        "authorise",
        help="answer terminals that ask for an entitlement whose home is elsewhere",
        description="Keeps books of who may redeem what, from the terminals' signed records, and answers requests. "
        "docs/authority.md says how. Needs the extra [centre] (SQLAlchemy).",
    )
    parser.add_argument("--broker", required=True, metavar="HOST:PORT", help="an MQTT 5 broker")
    parser.add_argument(
        "--roster-list",
        required=True,
        action="append",
        type=Path,
        metavar="FILE",
        help="the office's list of entitlements and homes; again for each roster",
    )
    parser.add_argument(
        "--terminal",
        required=True,
        action="append",
        metavar="ID=FILE",
        help="a terminal's id and its signing.pub.pem; again for each terminal",
    )
    parser.add_argument(
        "--sign", required=True, type=Path, metavar="KEY", help="the key terminals believe: the office's roster.pem"
    )
    parser.add_argument("--books", type=Path, default=Path("centre.db"), metavar="FILE", help="(%(default)s)")
    parser.add_argument(
        "--wait-s",
        type=float,
        default=10.0,
        metavar="S",
        help="how long a request is worked on; no less than the terminals' session.authorise_s (%(default)s)",
    )
    parser.add_argument(
        "--unused-grants-max",
        type=int,
        default=100,
        metavar="N",
        help="grants one terminal may hold without having given anything on them (%(default)s)",
    )
    parser.add_argument("--topic-prefix", default="aid/v1", help="as the terminals' uplink.topic_prefix (%(default)s)")
    parser.add_argument("--client-id", default="centre-authority", help="at the broker (%(default)s)")
    parser.add_argument("--username", help="at the broker")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="one line")
    parser.add_argument("--ca", type=Path, metavar="PEM", help="who signed the broker's certificate; turns TLS on")
    parser.set_defaults(run=_authorise)


def _authorise(arguments: argparse.Namespace) -> int:
    try:
        from edge_agent.centre.books import Books
    except ModuleNotFoundError as error:
        raise UplinkError(
            f"{error.name} is missing; install the centre's extra: pip install 'edge-agent[centre]'"
        ) from error
    from edge_agent.centre.broker import BrokerAddress, serve
    from edge_agent.centre.desk import CentreDesk

    logs.configure(LogSettings())
    host, port = _address(arguments.broker)
    lists = [read_roster_list(path) for path in arguments.roster_list]
    key = load_signing_key(arguments.sign)
    terminals = _terminals(arguments.terminal)
    books = Books(arguments.books)
    try:
        new = books.learn(lists)
        _log.info("books_open", books=str(arguments.books), terminals=len(terminals), new_entitlements=new)
        desk = CentreDesk(
            books,
            key,
            terminals,
            arguments.topic_prefix,
            tell=_tell,
            wait_s=arguments.wait_s,
            unused_grants_max=arguments.unused_grants_max,
        )
        address = BrokerAddress(
            host, port, arguments.client_id, arguments.username, arguments.password_file, arguments.ca
        )
        serve(address, desk, _tell)
    finally:
        books.close()
    return 0


def _tell(kind: str, **fields: object) -> None:
    _log.info(kind, **fields)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise UplinkError(f"--broker: '{text}' is not HOST:PORT; write for example localhost:1883")
    return host, int(port)


def _terminals(pairs: Sequence[str]) -> dict[str, Ed25519PublicKey]:
    found: dict[str, Ed25519PublicKey] = {}
    for pair in pairs:
        name, _, file = pair.partition("=")
        try:
            _IDENTIFIER.validate_python(name)
        except ValidationError as error:
            raise UplinkError(f"--terminal: '{name}' is no terminal id; write ID=signing.pub.pem") from error
        if not file or name in found:
            raise UplinkError(f"--terminal: '{pair}': write ID=signing.pub.pem, each id once")
        found[name] = load_verifying_key(Path(file))
    return found
