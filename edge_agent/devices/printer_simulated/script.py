"""Scripted faults of the simulated printer: YAML -> validated script.

Rules: as settings: unknown keys, wrong types and values out of range are errors that name file, field and value.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_agent.ports import PrinterError


class Fault(str, Enum):
    """What can go wrong with a receipt printer."""

    PAPER_OUT = "paper_out"
    JAM = "jam"
    COVER_OPEN = "cover_open"
    OFFLINE = "offline"
    UNPLUGGED = "unplugged"


class ScriptedFault(BaseModel):
    """One fault, once. Either during slip number `slip` (from 1), `after_mm` of it; or as soon as slip number
    `after_slip` is out (0: from the start)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: Fault
    slip: Annotated[int, Field(ge=1)] | None = None
    after_mm: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    after_slip: Annotated[int, Field(ge=0)] | None = None
    clears_after_s: Annotated[float, Field(ge=0, le=86_400)] | None = Field(
        default=None, description="unset: never by itself"
    )

    @model_validator(mode="after")
    def _one_moment(self) -> ScriptedFault:
        if (self.slip is None) == (self.after_slip is None):
            raise ValueError("give either `slip: N` (during it) or `after_slip: N` (between slips), not both")
        return self


class FaultScript(BaseModel):
    """A printer's make and its day. speed_mm_s: feed rate; 60 is a common 58 mm printer, 150 to 250 an 80 mm one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    roll_mm: Annotated[float, Field(ge=0, le=200_000)] = 30_000.0
    near_end_mm: Annotated[float, Field(ge=0, le=10_000)] = 1_500.0
    speed_mm_s: Annotated[float, Field(gt=0, le=100_000)] = 60.0
    buffer_bytes: Annotated[int, Field(ge=64, le=1_000_000)] = 4096
    answers_queued: bool = Field(default=True, description="false: GS r 1 is swallowed, as by some cheap printers")
    faults: tuple[ScriptedFault, ...] = ()


def load_script(path: Path) -> FaultScript:
    """The script in this file. Raises PrinterError naming file, field and value."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return FaultScript.model_validate({} if content is None else content)
    except OSError as error:
        raise PrinterError(f"{path}: {error.strerror}; correct printer.script or remove it") from error
    except yaml.YAMLError as error:
        raise PrinterError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'script'}: {item['msg']} (got {item['input']!r})"
            for item in error.errors()
        )
        raise PrinterError(f"{path}: {faults}; docs/printer.md lists the fields") from error
