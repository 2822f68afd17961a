"""Spoken prompts through a sound card: `aplay` (package alsa-utils) in its own process, one at a time.

Rules: never blocks: the process is started, looked at once a tick, and ended. Without `aplay` or a sound card the
terminal is silent; that is told once, and tried again after RETRY_S, because cards are plugged in late.
"""

from __future__ import annotations

import os
import subprocess

from edge_agent.core.model import Signal
from edge_agent.devices.prompts import PromptPlan, spoken_file
from edge_agent.ports import SoundError

RETRY_S = 60.0
LONGEST_S = 10.0
"""No prompt takes half as long: an `aplay` that is still there hangs on its card."""


class AlsaVoice:
    """A `ports.Voice`. language: "id" or "jv"; device: as `aplay -L` names it; aplay: the program."""

    def __init__(self, language: str, device: str, aplay: str = "aplay") -> None:
        self._plan = PromptPlan()
        self._language = language
        self._command = (aplay, "-q", "-D", device)
        self._process: subprocess.Popen[bytes] | None = None
        self._began_s = 0.0
        self._ended_by_us = False
        self._silent_until_s = 0.0

    def show(self, signal: Signal, now_s: float) -> None:
        """Say what goes with this signal; it is heard from the next tick on."""
        self._plan.show(signal, now_s)

    def tick(self, now_s: float) -> None:
        """See what has become of `aplay`, and start what is due. Raises SoundError when nothing can be heard."""
        if self._process is not None and not self._over(self._process, now_s):
            return
        if now_s < self._silent_until_s:
            return
        prompt = self._plan.due(now_s)
        if prompt is None:
            return
        path = spoken_file(prompt, self._language)
        try:
            self._process = subprocess.Popen(
                [*self._command, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except OSError as problem:
            self._silent_until_s = now_s + RETRY_S
            raise SoundError(
                f"voice: '{self._command[0]}' can't be started ({problem.strerror}); install it "
                f"(`sudo apt install alsa-utils`), or set sound.voice: none"
            ) from problem
        self._began_s, self._ended_by_us = now_s, False

    def close(self) -> None:
        """Silence; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()

    def _over(self, process: subprocess.Popen[bytes], now_s: float) -> bool:
        """Whether it has ended; ends it where something urgent waits, or where it hangs. Raises SoundError."""
        code = process.poll()
        if code is None:
            hangs = now_s - self._began_s > LONGEST_S
            if hangs:
                process.kill()
            elif self._plan.interrupts and not self._ended_by_us:
                process.terminate()
                self._ended_by_us = True
            return False
        self._process = None
        said = _last_words(process)
        if code != 0 and not self._ended_by_us:
            self._silent_until_s = now_s + RETRY_S
            raise SoundError(
                f"voice: {' '.join(self._command)} ended with {code}: {said or 'no message'}; see `aplay -L` for the "
                f"cards there are and set sound.device, and let the service's user into the group audio"
            )
        return True


def _last_words(process: subprocess.Popen[bytes]) -> str:
    """The first line of what a program that has ended wrote to its standard error; never waits for more."""
    if process.stderr is None:
        return ""
    with process.stderr as pipe:
        os.set_blocking(pipe.fileno(), False)
        text = (pipe.read(500) or b"").decode("utf-8", "replace").strip()
    return text.splitlines()[0] if text else ""
