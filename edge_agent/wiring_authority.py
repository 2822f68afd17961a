"""Settings -> the desks by which a terminal asks the centre for entitlements and gives them back: part of `wiring`."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.core.messages import AuthorityAnswered
from edge_agent.key_files import load_signing_key, load_verifying_key
from edge_agent.release_desk import ReleaseDesk
from edge_agent.settings import Settings
from edge_agent.uplink.authority_desk import AuthorityDesk
from edge_agent.uplink.troubles import Report
from edge_agent.uplink.wire import Topics


def make_authority_desk(
    settings: Settings, post: Callable[[AuthorityAnswered], None], releases: ReleaseDesk, report: Report
) -> AuthorityDesk:
    """What asks the centre, with this terminal's key, and believes only the centre's. Raises KeyFileError."""
    terminal, uplink, store = settings.terminal, settings.uplink, settings.store
    return AuthorityDesk(
        Topics(uplink.topic_prefix, terminal.site, terminal.id),
        load_signing_key(store.signing_key),
        load_verifying_key(uplink.centre_key or store.roster_key),
        wait_s=settings.session.authorise_s,
        post=post,
        releases=releases,
        report=report,
    )
