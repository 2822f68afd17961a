"""What every voice must do, real (with a program in aplay's place) or simulated. Time is told, never slept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_agent.core.model import Signal
from edge_agent.devices.prompts import AGAIN_S, PROMPTS
from edge_agent.devices.sound_log import SoundLog
from edge_agent.devices.voice_alsa import AlsaVoice
from edge_agent.devices.voice_simulated import SimulatedVoice
from edge_agent.ports import Voice
from tests.stand_ins import aplay

Said = Callable[[], list[str]]


@pytest.fixture(params=["simulated", "alsa"])
def voice(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Voice, Said]]:
    """A voice, and the prompts it has said so far. The program of the real one ends at once."""
    device: Voice
    if request.param == "simulated":
        log = SoundLog(None)
        device = SimulatedVoice("id", log)
        yield device, lambda: list(log.heard)
    else:
        program, heard = aplay.make(tmp_path)
        real = device = AlsaVoice("id", "default", program)

        def said() -> list[str]:
            _wait_for_the_end(real)
            return [Path(line.split()[-1]).stem for line in heard.read_text().splitlines()]

        yield device, said
    device.close()


def _wait_for_the_end(voice: AlsaVoice) -> None:
    process = voice._process
    if process is not None:
        process.wait(20)


def pass_time(voice: Voice, said: Said, begin_s: float, for_s: float) -> None:
    for tick in range(round(for_s * 2) + 1):
        voice.tick(begin_s + tick * 0.5)
        said()


def test_it_is_silent_until_something_is_shown(voice: tuple[Voice, Said]) -> None:
    device, said = voice
    pass_time(device, said, 0.0, 5.0)
    assert said() == []


@pytest.mark.parametrize("signal", Signal)
def test_a_signal_says_its_own_prompt_or_nothing(signal: Signal, voice: tuple[Voice, Said]) -> None:
    device, said = voice
    device.show(signal, 10.0)
    device.tick(10.0)
    assert said() == ([PROMPTS[signal].name] if signal in PROMPTS else [])


def test_guidance_is_said_again_only_after_a_while(voice: tuple[Voice, Said]) -> None:
    device, said = voice
    device.show(Signal.COME_CLOSER, 0.0)
    pass_time(device, said, 0.0, AGAIN_S - 1.0)
    assert said() == ["come_closer"]
    pass_time(device, said, AGAIN_S, 3.0)
    assert said() == ["come_closer", "come_closer"]


def test_a_cue_is_said_each_time_it_is_given_but_only_once(voice: tuple[Voice, Said]) -> None:
    device, said = voice
    for at_s, signal in ((0.0, Signal.TURN_LEFT), (2.0, Signal.LOOK_AHEAD), (4.0, Signal.TURN_LEFT)):
        device.show(signal, at_s)
        pass_time(device, said, at_s, 1.9)
    assert said() == ["turn_left", "look_ahead", "turn_left"]


def test_an_outcome_is_not_repeated_however_long_it_is_shown(voice: tuple[Voice, Said]) -> None:
    device, said = voice
    device.show(Signal.OUT_OF_SERVICE, 0.0)
    pass_time(device, said, 0.0, 60.0)
    assert said() == ["ask_officer"]


def test_close_may_be_repeated(voice: tuple[Voice, Said]) -> None:
    device, _ = voice
    device.show(Signal.GIVEN, 0.0)
    device.tick(0.0)
    device.close()
    device.close()
