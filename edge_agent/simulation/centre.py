"""The centre of a day with several terminals: the real desk and books, which know the roster's entitlements and homes.

Rules: nothing of the centre is made up; only the network between it and the terminals is (`network.py`).
"""

from __future__ import annotations

from edge_agent.centre.books import Books
from edge_agent.centre.desk import CentreDesk
from edge_agent.roster_list import roster_list
from edge_agent.simulation.network import PREFIX, silent
from edge_agent.simulation.site import SITE, Site
from edge_agent.uplink.wire import Message


class Centre:
    """Raises BooksError when its file in the day's folder can't be written."""

    def __init__(self, site: Site) -> None:
        self._time = site.time
        self._books = Books(site.folder / "centre.db")
        names = [terminal.id for terminal in site.terminals]
        self._books.learn([roster_list(SITE, 1, names, site.village.entitlements)])
        self._desk = CentreDesk(
            self._books,
            site.office,
            {name: keys.signing.public_key() for name, keys in site.keys.items()},
            PREFIX,
            tell=silent,
            now_s=self._now_s,
        )

    def take(self, topic: str, payload: bytes) -> list[Message]:
        """One message from a terminal; what is to be sent down."""
        return self._desk.take(topic, payload)

    def close(self) -> None:
        """Close the books."""
        self._books.close()

    def _now_s(self) -> float:
        return self._time.utc.timestamp()
