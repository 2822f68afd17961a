"""Every meeting with the world, as a Protocol with its error type.

Rules: real and simulated drivers implement these and pass the same contract tests (`tests/contracts`). A driver raises
only the error named here; its text names the part, what was seen and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge_agent.core.model import FaceObservation, PrinterStatus, Signal
from edge_agent.core.slip import Slip

Image = npt.NDArray[np.uint8]
"""RGB image, shape (h, w, 3), uint8."""


class TerminalError(Exception):
    """Base of every error a part of the terminal reports: the text says what happened and what to do."""


class CameraError(TerminalError):
    """The camera can't be opened or stopped delivering."""


class FootageEnded(CameraError):  # noqa: N818 - an end, not a fault
    """A recording that does not loop came to its end."""


class PrinterError(TerminalError):
    """The printer can't be reached, or a slip did not come out whole."""


class LedError(TerminalError):
    """The LED lines can't be claimed or driven."""


class SoundError(TerminalError):
    """A sound can't be made; nobody is served the worse for it."""


class TokenReaderError(TerminalError):
    """The barcode reader can't be opened or listened to."""


class StoreError(TerminalError):
    """The database can't be opened, trusted or written."""


class StoreInUse(StoreError):  # noqa: N818 - another terminal process serves, which is no fault of the store
    """Another process holds the database."""


class RosterError(TerminalError):
    """A roster file is refused; the old roster stays."""


class UplinkError(TerminalError):
    """The broker link can't be configured."""


@dataclass(frozen=True, eq=False)
class Frame:
    """image: RGB uint8 (h, w, 3); captured_s: monotonic seconds; sequence: counts frames from 0, gaps allowed."""

    image: Image
    captured_s: float
    sequence: int


class Camera(Protocol):
    """A source of frames. Life: open, read…, close; may be opened again after close or an error."""

    name: str

    def open(self) -> None:
        """Claim the device. Raises CameraError."""

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame not yet read, waiting up to timeout_s; None: none came. Raises CameraError, FootageEnded."""

    def set_fps(self, fps: float) -> None:
        """Frames per second that are wanted from now on; a driver that can, saves power by it. Raises CameraError."""

    def close(self) -> None:
        """Give the device back; safe to call twice."""


class Printer(Protocol):
    """A receipt printer. All calls come from one thread and may block up to the driver's timeout."""

    name: str

    def status(self) -> PrinterStatus:
        """Ask in real time (DLE EOT); reconnects if needed. Never raises: a dead printer is `online=False`."""

    def print_slip(self, slip: Slip) -> None:
        """Print, cut, and confirm by status that it came out. Raises PrinterError with what stopped it."""

    def close(self) -> None:
        """Give the port back; safe to call twice."""


class LedPanel(Protocol):
    """The LEDs `left`, `right`, `green`, `yellow`, `red`. Called from the main thread only."""

    def show(self, signal: Signal, now_s: float) -> None:
        """Begin this signal's pattern now (monotonic seconds). Showing the same signal again does not restart it."""

    def tick(self, now_s: float) -> None:
        """Drive the lines for this instant of the pattern. Raises LedError."""

    def lit(self) -> frozenset[str]:
        """The LEDs that are on now."""

    def close(self) -> None:
        """Turn everything off and give the lines back; safe to call twice."""


class Buzzer(Protocol):
    """A buzzer that is on or off. Called from the main thread only; never blocks."""

    def show(self, signal: Signal, now_s: float) -> None:
        """Begin what this signal sounds like, if anything (monotonic seconds); the same signal again stays silent."""

    def tick(self, now_s: float) -> None:
        """Switch it for this instant. Raises SoundError."""

    def close(self) -> None:
        """Silence, and give the line back; safe to call twice."""


class Voice(Protocol):
    """Spoken prompts. Called from the main thread only; never blocks."""

    def show(self, signal: Signal, now_s: float) -> None:
        """Say what goes with this signal, if anything (monotonic seconds)."""

    def tick(self, now_s: float) -> None:
        """See what has become of what is being said, and say what waits. Raises SoundError."""

    def close(self) -> None:
        """Silence; safe to call twice."""


@dataclass(frozen=True)
class OutboxRow:
    """One record waiting for the broker. sequence: the ledger's; body: the CloudEvents JSON as signed, UTF-8."""

    sequence: int
    event_id: str
    event_type: str
    body: bytes


class Outbox(Protocol):
    """Records not yet acknowledged, oldest first. Used from the uplink thread over its own database connection."""

    def oldest(self, limit: int) -> Sequence[OutboxRow]:
        """Up to `limit` rows by ascending sequence. Raises StoreError."""

    def delete(self, sequence: int) -> None:
        """Forget an acknowledged row; unknown numbers are ignored (acknowledgements may repeat). Raises StoreError."""

    def depth(self) -> int:
        """Rows waiting. Raises StoreError."""

    def close(self) -> None:
        """Close the connection; safe to call twice."""


@dataclass(frozen=True)
class EmbedderId:
    """Which embedder made a template: templates of different ones can't be compared. sha256: of the model file, hex."""

    name: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:12]}…)"


class PhotoExaminer(Protocol):
    """Looks at enrolment photographs with the terminal's own vision."""

    @property
    def embedder(self) -> EmbedderId:
        """The embedder that makes the probes."""

    def examine(self, image: Image) -> FaceObservation:
        """What one photograph shows: problems, or a probe when there are none. Photographs are unrelated."""
