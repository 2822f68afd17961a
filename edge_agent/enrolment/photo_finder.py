"""From what a list says of a person's photographs to files.

Rules: a folder is read once. A photograph is found by its whole name, or without the ending: `17` finds `17.jpg`,
`17_2.png`, `17-profile.jpg` and everything in the folder `17/`, but not `170.jpg`.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from functools import cached_property
from pathlib import Path

_NOT_PHOTOS = frozenset({"thumbs.db", "desktop.ini"})
_PART = re.compile(r"[_\- (]")


def may_be_photo(path: Path) -> bool:
    """A file that no system put there by itself."""
    return path.is_file() and not path.name.startswith(".") and path.name.lower() not in _NOT_PHOTOS


class PhotoFinder:
    """Finds photographs in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def named(self, text: str) -> list[Path]:
        """The files of one name as a list has it; none where there are none."""
        name = text.replace("\\", "/").strip()
        if not name or name.startswith("/") or ".." in name.split("/"):
            return []
        exact = self.folder / name
        if exact.is_file():
            return [exact]
        if exact.is_dir():
            return [path for path in sorted(exact.iterdir()) if may_be_photo(path)]
        return self._by_name.get(name.lower()) or self._by_stem.get(name.lower(), [])

    @cached_property
    def _files(self) -> list[Path]:
        try:
            with os.scandir(self.folder) as entries:
                return [
                    Path(one.path) for one in sorted(entries, key=lambda one: one.name) if may_be_photo(Path(one.path))
                ]
        except OSError:
            # A folder that isn't there holds no photographs; each row then says that it has none.
            return []

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        """Lower case, for lists and files made on systems that don't care."""
        found: dict[str, list[Path]] = defaultdict(list)
        for path in self._files:
            found[path.name.lower()].append(path)
        return found

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = defaultdict(list)
        for path in self._files:
            stem = path.stem.lower()
            for key in dict.fromkeys((stem, *(stem[: part.start()] for part in _PART.finditer(stem)))):
                found[key].append(path)
        return found
