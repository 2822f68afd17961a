"""The search engines that `edge-agent bench match` compares with, where they are installed.

Rules: each keeps to its own documented exact search with the inner product; a missing one is a PeerMissingError that
says how to install it. Neither is used by the terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge_agent.core.model import Embedding
from edge_agent.ports import TerminalError

BEST = 2
"""Rows asked for: the best, and the runner-up that a margin needs."""

Answer = int | None
Rows = npt.NDArray[np.float32]


class PeerMissingError(TerminalError):
    """The peer can't be imported here; the text says how to install it."""


class MatchPeer(Protocol):
    """An exact search engine over float32 rows of unit length; made with the number of threads it may use."""

    version: str

    def load(self, rows: Rows) -> int:
        """Take the gallery (n, d); how many bytes of it were copied."""

    def search(self, probe: Embedding) -> Answer:
        """The best row for this probe (d,)."""

    def unload(self) -> None:
        """Let the gallery go."""


class Faiss:
    """`faiss.IndexFlatIP`, which copies the rows."""

    def __init__(self, threads: int) -> None:
        """Raises PeerMissingError."""
        self._faiss = _library("faiss", "faiss-cpu")
        self._faiss.omp_set_num_threads(threads)
        self.version = str(self._faiss.__version__)
        self._index: Any = None

    def load(self, rows: Rows) -> int:
        """See `MatchPeer`."""
        self._index = self._faiss.IndexFlatIP(rows.shape[1])
        self._index.add(rows)
        return rows.nbytes

    def search(self, probe: Embedding) -> Answer:
        """See `MatchPeer`."""
        return int(self._index.search(probe[None], BEST)[1][0, 0])

    def unload(self) -> None:
        """See `MatchPeer`."""
        self._index = None


class Usearch:
    """`usearch.index.search(..., exact=True)`, over the rows where they are."""

    def __init__(self, threads: int) -> None:
        """Raises PeerMissingError."""
        self._threads = threads
        self._index = _library("usearch.index", "usearch")
        self.version = str(import_module("usearch").__version__)
        self._rows: Rows | None = None

    def load(self, rows: Rows) -> int:
        """See `MatchPeer`."""
        self._rows = rows
        return 0

    def search(self, probe: Embedding) -> Answer:
        """See `MatchPeer`."""
        found = self._index.search(
            self._rows, probe, BEST, self._index.MetricKind.IP, exact=True, threads=self._threads
        )
        return int(found.keys[0])

    def unload(self) -> None:
        """See `MatchPeer`."""
        self._rows = None


PEERS: dict[str, Callable[[int], MatchPeer]] = {"faiss": Faiss, "usearch": Usearch}


def _library(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise PeerMissingError(
            f"{package} isn't usable here ({error}); to compare with it: pip install {package} (both peers: "
            "pip install -e '.[bench]' in the folder of setup.cfg)"
        ) from error
