"""The office's list of withdrawn tokens: a text file, one serial a line; what follows a `#` is a remark.

Rules: every line must be a serial; a list with a fault withdraws nothing, it is refused with file and line. Withdrawn
serials stay in the list until their tokens have expired.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from edge_agent.ports import RosterError
from edge_agent.roster_schema import TokenSerial

_SERIAL: TypeAdapter[str] = TypeAdapter(TokenSerial)


def read_revoked(path: Path) -> frozenset[str]:
    """The serials. Raises RosterError naming file, line and what to do."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise RosterError(f"{path}: can't be read ({error.strerror}); correct the path") from error
    except UnicodeDecodeError as error:
        raise RosterError(f"{path}: is not UTF-8 text; save it as plain text") from error
    serials: set[str] = set()
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip().lower()
        if not text:
            continue
        try:
            serials.add(_SERIAL.validate_python(text))
        except ValidationError as error:
            raise RosterError(
                f"{path}:{number}: '{text[:20]}' is no serial; write the 12 hex digits under the token's code"
            ) from error
    return frozenset(serials)
