"""A voice that exists only as a record of what it would have said, with the length that each prompt has."""

from __future__ import annotations

from edge_agent.core.model import Signal
from edge_agent.devices.prompts import PromptPlan, spoken_s
from edge_agent.devices.sound_log import SoundLog


class SimulatedVoice:
    """A `ports.Voice` without hardware. language: "id" or "jv"."""

    def __init__(self, language: str, log: SoundLog) -> None:
        self._plan = PromptPlan()
        self._language = language
        self._log = log
        self._until_s = 0.0

    def show(self, signal: Signal, now_s: float) -> None:
        """Say what goes with this signal; it is heard from the next tick on."""
        self._plan.show(signal, now_s)

    def tick(self, now_s: float) -> None:
        """Begin what is due. Raises SoundError when a prompt is missing or the log can't be written."""
        if now_s < self._until_s and not self._plan.interrupts:
            return
        prompt = self._plan.due(now_s)
        if prompt is not None:
            self._until_s = now_s + spoken_s(prompt, self._language)
            self._log.add("voice", prompt.name, now_s)

    def close(self) -> None:
        """Silence."""
        self._until_s = 0.0
