"""What is said aloud: the files are there and are what the texts say, and nothing tells a queue too much."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import pytest

from edge_agent.core.model import Signal
from edge_agent.devices import prompts as prompts_module
from edge_agent.devices.prompts import (
    AGAIN_S,
    LANGUAGES,
    LAPSE_S,
    PROMPTS,
    SPOKEN,
    Prompt,
    PromptPlan,
    spoken_file,
    spoken_s,
)
from edge_agent.devices.sound_log import SoundLog
from edge_agent.devices.voice_simulated import SimulatedVoice
from edge_agent.ports import SoundError

ROOT = Path(__file__).resolve().parents[2]


def test_the_files_are_made_from_these_texts() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "make-prompts"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("prompt", {prompt.name: prompt for prompt in PROMPTS.values()}.values(), ids=lambda p: p.name)
def test_a_prompt_is_short_mono_and_audible(prompt: Prompt, language: str) -> None:
    assert 0.5 < spoken_s(prompt, language) < 5.0
    with wave.open(str(spoken_file(prompt, language))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        assert max(abs(sample) for sample in memoryview(file.readframes(file.getnframes())).cast("h")) > 8000


def test_all_prompts_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in SPOKEN.rglob("*.wav")) < 1_500_000


def test_prompts_with_one_name_say_one_thing() -> None:
    for prompt in PROMPTS.values():
        assert [other for other in PROMPTS.values() if other.name == prompt.name and other != prompt] == []


def test_a_queue_hears_no_verdict_and_no_reason() -> None:
    assert PROMPTS[Signal.REFERRED] is PROMPTS[Signal.NOT_ENTITLED]
    unspeakable = ("tolak", "berhak", "sudah diambil", "data", "nama", "tunda", "wajah tidak", "kenal", "denied")
    for prompt in PROMPTS.values():
        said = f"{prompt.id} {prompt.jv} {prompt.en}".lower()
        assert [word for word in unspeakable if word in said] == []


def test_nothing_is_said_where_nobody_is_to_hear_it() -> None:
    for signal in (Signal.READY, Signal.STARTING, Signal.STOPPED, Signal.ABANDONED):
        assert signal not in PROMPTS


def test_an_urgent_prompt_that_could_not_be_said_in_time_is_not_said_late() -> None:
    plan = PromptPlan()
    plan.show(Signal.GIVEN, 0.0)
    assert plan.interrupts
    assert plan.due(LAPSE_S + 0.1) is None
    assert not plan.interrupts


def test_the_same_guidance_shown_anew_is_not_said_anew() -> None:
    plan = PromptPlan()
    said = []
    for at_s, signal in enumerate((Signal.COME_CLOSER, Signal.LOOK_HERE, Signal.COME_CLOSER, Signal.LOOK_HERE)):
        plan.show(signal, float(at_s))
        said.append(plan.due(float(at_s)))
    assert [prompt.name if prompt else None for prompt in said] == ["come_closer", "look_here", None, None]
    assert plan.due(1.0 + AGAIN_S) is PROMPTS[Signal.LOOK_HERE]


def test_the_simulated_voice_takes_its_time_and_can_be_interrupted() -> None:
    log = SoundLog(None)
    voice = SimulatedVoice("id", log)
    voice.show(Signal.LOOK_HERE, 0.0)
    voice.tick(0.0)
    voice.show(Signal.COME_CLOSER, 0.5)
    voice.tick(0.5)
    assert log.heard == ["look_here"], "guidance waits"
    voice.show(Signal.TURN_LEFT, 1.0)
    voice.tick(1.0)
    assert log.heard == ["look_here", "turn_left"], "a cue doesn't"


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts_module, "SPOKEN", tmp_path)
    with pytest.raises(SoundError, match=r"take_slip\.wav: no prompt can be read.*run scripts/make-prompts"):
        spoken_s(PROMPTS[Signal.GIVEN], "id")
