"""What an office writes: whole or not at all, since a torn roster would be carried to a terminal."""

from __future__ import annotations

from pathlib import Path

from edge_agent.ports import RosterError


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file; until all of it is there, the old one stays. Raises RosterError."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise RosterError(f"{path}: can't be written ({error.strerror}); choose another place") from error
