"""Sounds beside the lights: made by whatever is there, and never a reason to stop serving."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import structlog

from edge_agent.core.model import Signal
from edge_agent.devices.buzzer_simulated import SimulatedBuzzer
from edge_agent.devices.sound_log import SoundLog
from edge_agent.devices.voice_simulated import SimulatedVoice
from edge_agent.ports import SoundError
from edge_agent.settings import SoundSettings, load
from edge_agent.settings_errors import SettingsError
from edge_agent.sounds import Sounds
from edge_agent.wiring_sound import make_sounds
from tests.stand_ins.gpio import StandInGpio

LEAST = """\
terminal: {id: T-1, site: S-1, place: Balai Desa Contoh, complaint_channel: Telp. 0800}
camera: {driver: v4l2}
printer: {driver: serial}
leds: {driver: gpio}
store: {path: t.sqlite, template_key: template.key, signing_key: signing.pem, roster_key: roster.pem}
uplink: {enabled: false}
"""


class Broken:
    """A device that fails at every tick and at the end."""

    def __init__(self) -> None:
        self.ticks = 0

    def show(self, signal: Signal, now_s: float) -> None:
        pass

    def tick(self, now_s: float) -> None:
        self.ticks += 1
        raise SoundError("voice: no card; plug one in")

    def close(self) -> None:
        raise SoundError("voice: it will not end; pull it out")


def test_both_are_played() -> None:
    log = SoundLog(None)
    sounds = Sounds(SimulatedBuzzer(log), SimulatedVoice("id", log))
    sounds.show(Signal.GIVEN, 0.0)
    sounds.tick(0.0)
    assert log.heard == ["given", "take_slip"]
    sounds.close()


def test_a_device_that_fails_is_told_once_tried_on_and_harms_nothing() -> None:
    log, broken = SoundLog(None), Broken()
    sounds = Sounds(SimulatedBuzzer(log), broken)
    with structlog.testing.capture_logs() as told:
        for tick in range(20):
            sounds.show(Signal.GIVEN, tick * 0.1)
            sounds.tick(tick * 0.1)
        sounds.close()
    assert broken.ticks == 20
    assert log.heard == ["given"]
    assert [(line["event"], line["device"], line["problem"]) for line in told] == [
        ("sound_failed", "voice", "voice: no card; plug one in")
    ]


def test_no_sound_at_all_is_fine() -> None:
    sounds = Sounds()
    sounds.show(Signal.GIVEN, 0.0)
    sounds.tick(0.0)
    sounds.close()


def test_a_terminal_is_silent_unless_told_otherwise() -> None:
    assert (SoundSettings().buzzer, SoundSettings().voice) == ("none", "none")


@pytest.mark.parametrize(("kind", "count"), [("none", 0), ("simulated", 1)])
def test_only_devices_that_are_wanted_are_there(kind: str, count: int) -> None:
    log = SoundLog(None)
    sounds = Sounds(SimulatedBuzzer(log) if kind == "simulated" else None, None)
    sounds.show(Signal.GIVEN, 0.0)
    sounds.tick(0.0)
    assert len(log.heard) == count


def wired(tmp_path: Path, sound: str) -> Sounds:
    """The sounds of a terminal whose settings have this section."""
    path = tmp_path / "terminal.yaml"
    path.write_text(f"{LEAST}\n{sound}\n", encoding="utf-8")
    return make_sounds(load(path).settings)


def test_the_settings_name_the_devices(tmp_path: Path) -> None:
    sounds = wired(tmp_path, "sound: {buzzer: simulated, voice: simulated, language: jv, log: sounds.jsonl}")
    sounds.show(Signal.REFERRED, 0.0)
    sounds.tick(0.0)
    heard = [json.loads(line)["sound"] for line in (tmp_path / "sounds.jsonl").read_text().splitlines()]
    assert heard == ["referred", "take_slip_and_ask"]


def test_a_buzzer_whose_line_can_not_be_had_is_told_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = StandInGpio()
    board.busy = frozenset({25})
    monkeypatch.setitem(sys.modules, "RPi.GPIO", board)
    with structlog.testing.capture_logs() as told:
        sounds = wired(tmp_path, "sound: {buzzer: gpio}")
    assert [line["device"] for line in told] == ["buzzer"]
    sounds.show(Signal.GIVEN, 0.0)
    sounds.tick(0.0)
    sounds.close()


def test_a_buzzer_on_an_leds_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"sound\.buzzer_pin: line 22 drives an LED"):
        wired(tmp_path, "sound: {buzzer: gpio, buzzer_pin: 22}")
