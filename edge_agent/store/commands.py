"""The store's commands: `edge-agent roster import|show|delta|schema`, `ledger` and `keys`, each in its own module.

Rules: a command returns its exit code and lets TerminalError through to `__main__`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from edge_agent.command_line import Subparsers
from edge_agent.core.model import Timestamp
from edge_agent.ports import EmbedderId
from edge_agent.settings import Settings
from edge_agent.store import key_commands, ledger_commands, roster_commands
from edge_agent.store.claims import TerminalIdentity

Now = Callable[[], Timestamp]
EmbedderOf = Callable[[Settings], EmbedderId | None]


def add_commands(
    subparsers: Subparsers[argparse.ArgumentParser],
    roster_subparsers: Subparsers[argparse.ArgumentParser],
    now: Now,
    embedder_of: EmbedderOf,
) -> None:
    """Add `keys` and `ledger` to the first, `import`, `show`, `delta` and `schema` to the second (of `edge-agent
    roster`).

    now: the terminal's clock; embedder_of: the embedder these settings run, so that a roster for another is refused.
    """
    roster_commands.add_commands(roster_subparsers, now, embedder_of, terminal_of)
    ledger_commands.add_commands(subparsers)
    key_commands.add_commands(subparsers)


def terminal_of(settings: Settings) -> TerminalIdentity:
    """The identity that records carry."""
    terminal = settings.terminal
    return TerminalIdentity(terminal.id, terminal.site, terminal.place, terminal.timezone)
