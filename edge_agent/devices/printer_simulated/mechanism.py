"""Paper, motor, cover and cutter of the simulated printer: what can go wrong between a byte and a slip.

Rules: what the paper does takes its time (`busy_until_s`, monotonic seconds), told by the caller's clock; a slip whose
paper or data was interrupted is torn; scripted faults happen once each.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from edge_agent.devices.printer_simulated.composer import Cut, Motion, Print
from edge_agent.devices.printer_simulated.script import Fault, FaultScript, ScriptedFault
from edge_agent.devices.printer_simulated.typeface import Dots

DOTS_PER_MM = 8
_AT_REST_AFTER_S = 0.5
"""Faults between slips wait this long, so that they don't meet the confirmation of the slip before."""


@dataclass
class Strip:
    """Paper that came out in one piece."""

    rows: list[Dots] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    torn: bool = False

    @property
    def dots(self) -> int:
        """Length in dots."""
        return sum(part.shape[0] for part in self.rows)

    @property
    def blank(self) -> bool:
        """Whether nothing was burnt on it."""
        return not any(part.any() for part in self.rows)


class Mechanism:
    """now_s of every call: monotonic seconds, never going back."""

    def __init__(self, script: FaultScript) -> None:
        self.script = script
        self.roll_mm = script.roll_mm
        self.faults: dict[Fault, float | None] = {}
        """What is wrong now, and when it clears by itself."""
        self.slips_done = 0
        self.strip = Strip()
        self.busy_until_s = 0.0
        self._pending = list(script.faults)
        self._rest: list[Motion] = []

    @property
    def out_of_paper(self) -> bool:
        """Whether the paper sensor sees none."""
        return Fault.PAPER_OUT in self.faults or self.roll_mm <= 0

    @property
    def stopped(self) -> bool:
        """Whether nothing moves until somebody helps."""
        return bool(self.faults) or self.roll_mm <= 0

    def fail(self, fault: Fault, clears_at_s: float | None = None) -> None:
        """Something goes wrong now."""
        self.faults[fault] = clears_at_s
        if fault is not Fault.OFFLINE:
            self._spoil()

    def repair(self, fault: Fault, now_s: float) -> None:
        """Somebody helps: refills, closes, clears, plugs in."""
        self.faults.pop(fault, None)
        if fault is Fault.PAPER_OUT:
            self.roll_mm = self.script.roll_mm or FaultScript().roll_mm
        self.busy_until_s = max(self.busy_until_s, now_s)

    def let_time_pass(self, now_s: float) -> None:
        """Faults that clear by themselves, and those scripted between slips."""
        for fault, clears_at_s in list(self.faults.items()):
            if clears_at_s is not None and now_s >= clears_at_s:
                self.repair(fault, clears_at_s)
        at_rest = now_s >= self.busy_until_s + _AT_REST_AFTER_S
        if at_rest and not self.strip.dots and not self._rest:
            for scripted in [item for item in self._pending if item.after_slip == self.slips_done]:
                self._happen(scripted, now_s)

    def run(self, motions: list[Motion]) -> list[Strip]:
        """Begin these motions at `busy_until_s`; what a fault leaves undone waits. Returns strips cut off."""
        self._rest += motions
        return self.resume()

    def resume(self) -> list[Strip]:
        """Go on with motions left from before, as far as possible."""
        cut: list[Strip] = []
        while self._rest and not self.stopped:
            motion = self._rest.pop(0)
            if isinstance(motion, Cut):
                cut += self.take_strip()
            else:
                rest = self._print(motion)
                if rest is not None:
                    self._rest.insert(0, rest)
        return cut

    def forget(self) -> None:
        """Drop motions left undone (buffers cleared)."""
        if self._rest:
            self._spoil()
        self._rest = []

    def _spoil(self) -> None:
        if self.strip.dots:
            self.strip.torn = True

    def take_strip(self) -> list[Strip]:
        """The paper that hangs out, cut or torn off; nothing when it is blank."""
        strip, self.strip = self.strip, Strip()
        if strip.blank:
            return []
        self.slips_done += 1
        return [strip]

    def _print(self, motion: Print) -> Print | None:
        """Burn as many rows as paper and faults allow; the rest of the motion, or None when it is done."""
        height = motion.dots.shape[0]
        room = int(self.roll_mm * DOTS_PER_MM)
        scripted = self._next_fault()
        until_fault = max(int(scripted.after_mm * DOTS_PER_MM) - self.strip.dots, 0) if scripted else room + 1
        if height <= min(room, until_fault) and (height or room):
            self._burn(motion.dots)
            if motion.text is not None:
                self.strip.text.append(motion.text)
            return None
        done = min(room, until_fault)
        self._burn(motion.dots[:done])
        if scripted and until_fault <= room:
            self._happen(scripted, self.busy_until_s)
        else:
            self.roll_mm = 0.0
            self._spoil()
        return Print(motion.dots[done:], motion.text)

    def _burn(self, rows: Dots) -> None:
        if not rows.shape[0]:
            return
        self.strip.rows.append(np.array(rows))
        millimetres = rows.shape[0] / DOTS_PER_MM
        self.roll_mm -= millimetres
        self.busy_until_s += millimetres / self.script.speed_mm_s

    def _next_fault(self) -> ScriptedFault | None:
        due = [item for item in self._pending if item.slip == self.slips_done + 1]
        return min(due, key=lambda item: item.after_mm, default=None)

    def _happen(self, scripted: ScriptedFault, now_s: float) -> None:
        self._pending.remove(scripted)
        clears = scripted.clears_after_s
        self.fail(scripted.fault, None if clears is None else now_s + clears)
