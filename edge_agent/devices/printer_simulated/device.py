"""The simulated printer as a device at the end of a cable: bytes in, status bytes and slips out.

Rules: thread-safe; time is the injected clock's (monotonic seconds) and passes only when somebody looks; real-time
commands are acted on as they arrive, everything else waits its turn in the buffer; an unknown command stops the printer
with an unrecoverable error that names it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from edge_agent.devices.printer_simulated.commands import (
    REALTIME_CLEAR,
    REALTIME_STATUS,
    Command,
    UnknownCommand,
    take,
)
from edge_agent.devices.printer_simulated.composer import Composer
from edge_agent.devices.printer_simulated.mechanism import Mechanism, Strip
from edge_agent.devices.printer_simulated.script import Fault, FaultScript
from edge_agent.devices.printer_simulated.slips import FinishedSlip, OnSlip, keep

WIDTH_DOTS = {58: 384, 80: 576}
_CLEAR = REALTIME_CLEAR + b"\x08\x01\x03\x14\x01\x06\x02\x08"
_CLEARED = b"\x37\x25\x00"
_FIXED = 0x12


class SimulatedDevice:
    """One printer. cutter: unset, 80 mm has one; without, a slip is torn off before the next is begun.

    noise: bytes a bad cable puts before every answer. slips: what came out, oldest first. received: every byte taken.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        paper_mm: int = 58,
        script: FaultScript | None = None,
        folder: Path | None = None,
        on_slip: OnSlip | None = None,
        cutter: bool | None = None,
    ) -> None:
        script = script or FaultScript()
        self.problems: list[str] = []
        self.slips: list[FinishedSlip] = []
        self.label = ""
        self.noise = b""
        self.received = bytearray()
        self._cutter = paper_mm == 80 if cutter is None else cutter
        self._composer = Composer(WIDTH_DOTS[paper_mm])
        self._mechanism = Mechanism(script)
        self._script = script
        self._clock = clock
        self._folder = folder
        self._on_slip = on_slip
        self._buffer = bytearray()
        self._under_way = 0
        """Bytes at the buffer's head that belong to a picture being taken in: they no longer fill the buffer."""
        self._offset = 0
        self._tail = b""
        self._answers = bytearray()
        self._lock = threading.RLock()

    def receive(self, data: bytes) -> int:
        """Take in as much as the buffer has room for; returns how much. Unplugged: nothing."""
        with self._lock:
            now_s = self._advance()
            if not self.plugged:
                return 0
            if not self._buffer:
                self._mechanism.busy_until_s = max(self._mechanism.busy_until_s, now_s)
            taken = data[: max(self._script.buffer_bytes - len(self._buffer) + self._under_way, 0)]
            self.received += taken
            for byte in taken:
                self._buffer.append(byte)
                self._act_in_real_time(byte)
            self._advance()
            return len(taken)

    def transmit(self) -> bytes:
        """Status bytes waiting for the host."""
        with self._lock:
            self._advance()
            answers, self._answers = bytes(self._answers), bytearray()
            return answers

    @property
    def plugged(self) -> bool:
        """Whether cable and power are there."""
        with self._lock:
            self._advance()
            return Fault.UNPLUGGED not in self._mechanism.faults

    @property
    def wrapped_rows(self) -> int:
        """Rows that the printer itself had to break: the layout should never leave it any."""
        return self._composer.wrapped

    def fail(self, fault: Fault) -> None:
        """Something goes wrong now, until `repair`."""
        with self._lock:
            self._advance()
            self._mechanism.fail(fault)
            self._lose_what_unplugging_loses()

    def repair(self, fault: Fault) -> None:
        """Somebody refills, closes, clears or plugs in."""
        with self._lock:
            self._mechanism.repair(fault, self._clock())
            self._advance()

    def tear_off(self, whole: bool = True) -> None:
        """Take the paper that hangs out of a printer without cutter."""
        with self._lock:
            self._advance()
            self._finish(self._mechanism.take_strip(), whole)

    def _advance(self) -> float:
        now_s = self._clock()
        mechanism = self._mechanism
        mechanism.let_time_pass(now_s)
        while not self.problems:
            self._finish(mechanism.resume())
            self._lose_what_unplugging_loses()
            if mechanism.stopped or now_s < mechanism.busy_until_s or not self._step():
                break
            mechanism.let_time_pass(now_s)
        return now_s

    def _step(self) -> bool:
        """Carry out the next command; False when there is none yet."""
        try:
            taken = take(bytes(self._buffer), self._offset)
            if taken is None:
                self._under_way = len(self._buffer)
                return False
            self._under_way = 0
            command, length = taken
            del self._buffer[:length]
            self._carry_out(command)
        except UnknownCommand as error:
            text = str(error)
            self.problems.append(text if " at byte " in text else f"{text}, at byte {self._offset} of the stream")
            return False
        self._offset += length
        return True

    def _carry_out(self, command: Command) -> None:
        if command.code == b"\x1dr":
            if command.args not in (b"\x01", b"1"):
                raise UnknownCommand(f"command 1d 72 has no parameter {command.args[0]}")
            if self._script.answers_queued:
                self._answer(0x03 if self._near_end else 0x00)
            return
        if command.code == b"\x1b@" and not self._cutter:
            self._finish(self._mechanism.take_strip())
        self._finish(self._mechanism.run(self._composer.apply(command)))

    def _finish(self, strips: list[Strip], whole: bool = True) -> None:
        for strip in strips:
            strip.torn = strip.torn or not whole
            label = self.label or f"slip-{len(self.slips) + 1:04d}"
            slip = keep(strip, label, self._folder)
            self.slips.append(slip)
            if self._on_slip is not None and slip.picture is not None:
                self._on_slip(slip.picture, slip.text)

    def _lose_what_unplugging_loses(self) -> None:
        if Fault.UNPLUGGED in self._mechanism.faults:
            self._forget()
            self._answers.clear()

    def _act_in_real_time(self, byte: int) -> None:
        self._tail = (self._tail + bytes((byte,)))[-len(_CLEAR) :]
        if self._tail[-3:-1] == REALTIME_STATUS and 1 <= byte <= 4:
            self._answer(self._status(byte))
        elif self._tail == _CLEAR:
            self._forget()
            self._answers += self.noise + _CLEARED

    def _forget(self) -> None:
        self._offset += len(self._buffer)
        self._buffer.clear()
        self._under_way = 0
        self._mechanism.forget()

    def _answer(self, byte: int) -> None:
        self._answers += self.noise + bytes((byte,))

    @property
    def _near_end(self) -> bool:
        return self._mechanism.roll_mm <= self._script.near_end_mm

    def _status(self, n: int) -> int:
        faults, out = self._mechanism.faults, self._mechanism.out_of_paper
        jammed, confused = Fault.JAM in faults, bool(self.problems)
        if n == 1:
            return _FIXED | (0x08 if out or faults or confused else 0)
        if n == 2:
            cover = 0x04 if Fault.COVER_OPEN in faults else 0
            return _FIXED | cover | (0x20 if out else 0) | (0x40 if jammed or confused else 0)
        if n == 3:
            return _FIXED | (0x08 if jammed else 0) | (0x20 if confused else 0)
        return _FIXED | (0x0C if self._near_end else 0) | (0x60 if out else 0)
