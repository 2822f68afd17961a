"""What a buzzer does for each signal: gentle, short, and nothing that a queue should not hear."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import pytest

from edge_agent.core.model import Signal
from edge_agent.devices.buzzer_gpio import GpioBuzzer
from edge_agent.devices.buzzer_simulated import SimulatedBuzzer
from edge_agent.devices.buzzes import BUZZES
from edge_agent.devices.sound_log import SoundLog
from edge_agent.ports import SoundError
from edge_agent.settings import LedSettings, SoundSettings
from tests.stand_ins.gpio import StandInGpio


@pytest.mark.parametrize("signal", Signal)
def test_a_sound_is_short_and_made_of_whole_ticks(signal: Signal) -> None:
    beeps = BUZZES[signal]
    assert sum(beeps) <= 1.0 + 1e-9
    assert len(beeps) % 2 == 1 or not beeps, "it ends with the buzzer on, and is silent after it"
    assert all(duration_s >= 0.1 and (duration_s * 10) % 1 < 1e-6 for duration_s in beeps)


def test_a_queue_does_not_hear_why() -> None:
    assert BUZZES[Signal.REFERRED] == BUZZES[Signal.NOT_ENTITLED]


def test_what_means_different_things_to_do_sounds_different() -> None:
    apart = (Signal.TURN_LEFT, Signal.TURN_RIGHT, Signal.GIVEN, Signal.REFERRED, Signal.CARD_REFUSED, Signal.PAPER_OUT)
    for one, other in itertools.combinations(apart, 2):
        assert BUZZES[one] != BUZZES[other], (one, other)


def test_waiting_and_guidance_are_silent() -> None:
    for signal in (Signal.READY, Signal.LOOK_HERE, Signal.COME_CLOSER, Signal.WORKING, Signal.STOPPED):
        assert BUZZES[signal] == ()


def test_the_real_one_says_which_setting_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    board = StandInGpio()
    board.busy = frozenset({25})
    monkeypatch.setitem(sys.modules, "RPi.GPIO", board)
    with pytest.raises(SoundError, match=r"Buzzer .*pin 25 .*busy.*choose another pin in sound\.buzzer_pin"):
        GpioBuzzer(SoundSettings(buzzer="gpio"), LedSettings(driver="gpio"))


def test_the_simulated_one_writes_what_it_would_have_sounded(tmp_path: Path) -> None:
    path = tmp_path / "sounds.jsonl"
    buzzer = SimulatedBuzzer(SoundLog(path))
    for at_s, signal in enumerate((Signal.READY, Signal.GIVEN, Signal.GIVEN, Signal.REFERRED)):
        buzzer.show(signal, float(at_s))
        buzzer.tick(float(at_s))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(line["monotonic_s"], line["device"], line["sound"]) for line in lines] == [
        (1.0, "buzzer", "given"),
        (3.0, "buzzer", "referred"),
    ]


def test_a_log_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SoundError, match=r"sound\.log: .*can't be written"):
        SoundLog(tmp_path / "no" / "such").add("voice", "wait", 0.0)
