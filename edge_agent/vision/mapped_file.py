"""Lets go of a mapped file's pages: an interpreter reads its model once, packs the weights its own way, and keeps both.

Rules: Linux only; elsewhere, and where the file isn't mapped, nothing happens. Nothing is lost: a page that is needed
after all is read from the file again.
"""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

_MAPS = Path("/proc/self/maps")


def release_pages(path: Path) -> int:
    """Let go of the pages of every mapping of `path` in this process -> bytes of these mappings."""
    dont_need = getattr(mmap, "MADV_DONTNEED", None)
    if dont_need is None or not _MAPS.exists():
        return 0
    advise = ctypes.CDLL(None).madvise
    released = 0
    for start, end in _mappings(path.resolve()):
        if advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), ctypes.c_int(dont_need)) == 0:
            released += end - start
    return released


def _mappings(path: Path) -> list[tuple[int, int]]:
    """First address and the one behind the last of each read-only mapping; what a process may write isn't touched."""
    found = []
    for line in _MAPS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        address, rights, *_, name = line.split(maxsplit=5)
        if name == str(path) and "w" not in rights:
            start, end = address.split("-")
            found.append((int(start, 16), int(end, 16)))
    return found
