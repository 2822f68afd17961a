"""Which clips to present: a folder with one folder per species, or a CSV of `path,species`.

Rules: every file named must exist, else nothing is measured. An error names the list, the line, the value and the
remedy. `bona_fide` is the species of living people.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.ports import TerminalError

BONA_FIDE: Final = "bona_fide"
CLIP_SUFFIXES: Final = (".mp4", ".mov", ".avi", ".mkv", ".webm")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


class PadListError(TerminalError):
    """The clips can't be listed; the text says where and what to do."""


@dataclass(frozen=True)
class Clip:
    """A recording of one presentation. species: as the report names it."""

    path: Path
    species: str


def list_clips(source: Path) -> tuple[Clip, ...]:
    """The clips of a folder or a CSV, in order. Raises PadListError."""
    if source.is_dir():
        clips = _in_folder(source)
    elif source.is_file():
        clips = _in_csv(source)
    else:
        raise PadListError(f"{source}: no such folder or file; give a folder with one folder per species, or a CSV")
    for clip in clips:
        if not _NAME.fullmatch(clip.species):
            raise PadListError(
                f"{source}: species {clip.species!r}: use small letters, digits, '-' and '_', as it becomes a JSON key"
            )
    return clips


def _in_folder(folder: Path) -> tuple[Clip, ...]:
    clips = [
        Clip(path, below.name)
        for below in sorted(path for path in folder.iterdir() if path.is_dir())
        for path in sorted(below.iterdir())
        if path.suffix.lower() in CLIP_SUFFIXES
    ]
    if not clips:
        raise PadListError(
            f"{folder}: no clips in it; put them in one folder per species, such as {folder}/print/a.mp4 "
            f"({', '.join(CLIP_SUFFIXES)}), living people in {folder}/{BONA_FIDE}"
        )
    return tuple(clips)


def _in_csv(path: Path) -> tuple[Clip, ...]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PadListError(f"{path}: can't be read as CSV ({error}); give UTF-8 text") from error
    if not rows or not {"path", "species"} <= set(rows[0]):
        raise PadListError(f"{path}:1: give a first line `path,species` and a line for each clip")
    clips = []
    for line, row in enumerate(rows, 2):
        clip = path.parent / (row["path"] or "")
        if not clip.is_file():
            raise PadListError(f"{path}:{line}: path: {row['path']!r}: no such file (relative to the CSV); correct it")
        clips.append(Clip(clip, row["species"] or ""))
    return tuple(clips)
