"""Visits as they are heard: by buzzer and voice, through the whole terminal."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from edge_agent.agent import Agent
from edge_agent.core.model import Signal
from edge_agent.devices.buzzer_simulated import SimulatedBuzzer
from edge_agent.devices.sound_log import SoundLog
from edge_agent.devices.voice_simulated import SimulatedVoice
from edge_agent.sounds import Sounds
from tests import box as box_module
from tests.box import terminal_box


def heard_by_then(log: SoundLog, name: str) -> None:
    """Sounds follow their light by a moment: the light is what `serve` waits for."""
    until_s = time.monotonic() + 5.0
    while (not log.heard or log.heard[-1] != name) and time.monotonic() < until_s:
        time.sleep(0.02)


def test_who_is_served_hears_the_cues_and_to_take_the_slip_and_a_stranger_to_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buzzes, said = SoundLog(None), SoundLog(None)
    sounds = Sounds(SimulatedBuzzer(buzzes), SimulatedVoice("id", said))
    monkeypatch.setattr(box_module, "Agent", partial(Agent, sounds=sounds))
    with terminal_box(tmp_path) as box:
        box.serve(1)
        heard_by_then(said, "take_slip")
        first, first_buzzes = list(said.heard), list(buzzes.heard)
        box.serve(99, expect=Signal.REFERRED)
        heard_by_then(said, "take_slip_and_ask")
    turns = [name for name in first if name in ("turn_left", "turn_right")]
    assert len(turns) == 2, "each cue is said, each once"
    assert [buzz for buzz in first_buzzes if buzz in ("turn_left", "turn_right")] == turns
    assert (first[-1], first_buzzes[-1]) == ("take_slip", "given")
    assert said.heard[-1] == "take_slip_and_ask"
    assert buzzes.heard[-1] == "referred"
