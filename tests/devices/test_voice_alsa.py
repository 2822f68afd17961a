"""The voice through aplay: what it does when the card is busy, missing or hangs, and when something urgent comes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edge_agent.core.model import Signal
from edge_agent.devices.prompts import PROMPTS, spoken_file
from edge_agent.devices.voice_alsa import LONGEST_S, RETRY_S, AlsaVoice
from edge_agent.ports import SoundError
from tests.stand_ins import aplay


def process_of(voice: AlsaVoice) -> subprocess.Popen[bytes]:
    process = voice._process
    assert process is not None
    return process


def wait_for(heard: Path, lines: int) -> list[str]:
    """The program's calls so far, once there are this many; it is a real process and takes its time."""
    for _ in range(2000):
        found = heard.read_text().splitlines()
        if len(found) >= lines:
            return found
        subprocess.run(["sleep", "0.01"], check=True)
    raise AssertionError(f"{lines} calls wanted, found {heard.read_text()!r}")


def test_it_plays_the_file_on_the_card_of_the_settings(tmp_path: Path) -> None:
    program, heard = aplay.make(tmp_path)
    voice = AlsaVoice("jv", "plughw:1", program)
    voice.show(Signal.GIVEN, 0.0)
    voice.tick(0.0)
    assert wait_for(heard, 1) == [f"-q -D plughw:1 {spoken_file(PROMPTS[Signal.GIVEN], 'jv')}"]
    voice.close()


def test_guidance_waits_for_what_is_being_said(tmp_path: Path) -> None:
    program, heard = aplay.make(tmp_path, takes_s=60.0)
    voice = AlsaVoice("id", "default", program)
    voice.show(Signal.COME_CLOSER, 0.0)
    voice.tick(0.0)
    wait_for(heard, 1)
    first = process_of(voice)
    voice.show(Signal.STEP_BACK, 0.5)
    voice.tick(0.5)
    assert process_of(voice) is first
    assert first.poll() is None
    voice.close()
    assert first.poll() is not None


def test_something_urgent_ends_guidance_and_is_said_after_it(tmp_path: Path) -> None:
    program, heard = aplay.make(tmp_path, takes_s=60.0)
    voice = AlsaVoice("id", "default", program)
    voice.show(Signal.COME_CLOSER, 0.0)
    voice.tick(0.0)
    wait_for(heard, 1)
    first = process_of(voice)
    voice.show(Signal.TURN_LEFT, 0.5)
    voice.tick(0.5)
    first.wait(20)
    voice.tick(0.6)
    assert [line.rsplit("/")[-1] for line in wait_for(heard, 2)] == ["come_closer.wav", "turn_left.wav"]
    voice.close()


def test_without_a_card_it_says_so_and_is_silent_for_a_while(tmp_path: Path) -> None:
    program, _ = aplay.make(tmp_path, card=False)
    voice = AlsaVoice("id", "default", program)
    voice.show(Signal.COME_CLOSER, 0.0)
    voice.tick(0.0)
    process_of(voice).wait(20)
    with pytest.raises(SoundError, match=r"-D default ended with 1: aplay: main:831: .*set sound\.device"):
        voice.tick(0.1)
    for tick in range(1, 500):
        voice.tick(0.1 + tick * 0.1)
        assert voice._process is None
    voice.tick(RETRY_S + 1.0)
    assert process_of(voice)
    voice.close()


def test_without_aplay_it_says_what_to_install(tmp_path: Path) -> None:
    voice = AlsaVoice("id", "default", str(tmp_path / "aplay"))
    voice.show(Signal.GIVEN, 0.0)
    with pytest.raises(SoundError, match=r"can't be started .*sudo apt install alsa-utils"):
        voice.tick(0.0)
    voice.tick(0.1)
    voice.close()


def test_a_program_that_hangs_on_its_card_is_ended(tmp_path: Path) -> None:
    program, heard = aplay.make(tmp_path, takes_s=60.0)
    voice = AlsaVoice("id", "default", program)
    voice.show(Signal.GIVEN, 0.0)
    voice.tick(0.0)
    wait_for(heard, 1)
    hung = process_of(voice)
    voice.tick(LONGEST_S + 0.1)
    assert hung.wait(20) == -9
    with pytest.raises(SoundError, match="ended with -9"):
        voice.tick(LONGEST_S + 0.2)
