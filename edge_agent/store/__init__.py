"""Remembers: one SQLite file with roster, claims, ledger and outbox."""

from edge_agent.store.claims import TerminalIdentity
from edge_agent.store.keys import Keys, load_keys
from edge_agent.store.outbox import SqliteOutbox
from edge_agent.store.roster import RosterInfo
from edge_agent.store.roster_import import RosterChange
from edge_agent.store.store import Store, check_disk

__all__ = [
    "Keys",
    "RosterChange",
    "RosterInfo",
    "SqliteOutbox",
    "Store",
    "TerminalIdentity",
    "check_disk",
    "load_keys",
]
