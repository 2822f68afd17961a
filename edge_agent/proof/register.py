"""The register of slips that were shown: how a photocopy of a genuine slip is noticed.

Rules: one line of JSON a showing, only ever added to, readable by its owner only. It holds case numbers, no person. Who
keeps registers apart (two desks with one each) notices a photocopy only at the desk where the slip was shown before.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from edge_agent.proof.errors import ProofError
from edge_agent.proof.verdict import Shown
from edge_agent.slip_code import SlipCode


@dataclass(frozen=True)
class _Entry:
    terminal: str
    sequence: int
    copy: int
    case_number: str
    shown_at: str


def shown_before(path: Path, code: SlipCode) -> Shown | None:
    """The first showing of this paper, or else of another paper of the same record. Raises ProofError."""
    others = [one for one in _read(path) if (one.terminal, one.sequence) == (code.terminal_id, code.sequence)]
    same = [one for one in others if one.copy == code.copy]
    first = next(iter(same or others), None)
    return Shown(first.shown_at, bool(same), first.copy) if first is not None else None


def add(path: Path, code: SlipCode, now: datetime) -> None:
    """Note that this paper was shown. now: aware. Raises ProofError."""
    entry = _Entry(code.terminal_id, code.sequence, code.copy, code.case_number, now.isoformat(timespec="seconds"))
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise ProofError(f"--register {path}: can't be written ({error.strerror}); choose another place") from error


def _read(path: Path) -> list[_Entry]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ProofError(f"--register {path}: can't be read ({type(error).__name__}); correct the path") from error
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(_Entry(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise ProofError(
                f"--register {path}:{number}: is no showing of a slip; take the line out, or give another register"
            ) from error
    return entries
