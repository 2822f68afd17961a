"""What a terminal that can't start still says: its retained status becomes "failed", with the reason.

Rules: one connection, one message, no retry: the next start says it again. It speaks under the terminal's own client
id, since a broker may let in no other, so it must not be used while another process of this terminal serves.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from edge_agent.settings_uplink import UplinkSettings
from edge_agent.uplink.courier import FIRST_FAILURE
from edge_agent.uplink.link import BrokerLink
from edge_agent.uplink.link_events import Answered, Closed, Opened
from edge_agent.uplink.link_words import answer_words
from edge_agent.uplink.telemetry import status_message, utc_now
from edge_agent.uplink.wire import TerminalSnapshot, Topics, client_id

_POLL_S = 0.2


def say_failed(
    settings: UplinkSettings,
    terminal_id: str,
    site: str,
    snapshot: TerminalSnapshot,
    problem: str,
    *,
    within_s: float,
    given_up: Callable[[], bool] = lambda: False,
) -> str | None:
    """Tell the broker; None when it took the message, else why not. given_up: asked often; true ends it."""
    topics = Topics(settings.topic_prefix, site, terminal_id)
    link = BrokerLink(
        settings,
        client_id(site, terminal_id),
        will=lambda: status_message(topics, snapshot, "offline", None),
        will_delay_s=0,
    )
    until_s = time.monotonic() + within_s
    try:
        link.open()
        while time.monotonic() < until_s and not given_up():
            for event in link.poll(_POLL_S):
                if isinstance(event, Opened):
                    link.publish(status_message(topics, snapshot, "failed", utc_now(), problem))
                elif isinstance(event, Answered):
                    link.close()
                    return None if event.code < FIRST_FAILURE else answer_words(event.code, event.words)
                elif isinstance(event, Closed):
                    return event.problem
    finally:
        link.dispose()
    return f"no answer from {settings.host}:{settings.port} within {within_s:g} s"
