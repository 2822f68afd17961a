"""Settings -> the sounds beside the lights: the part of `wiring` that names sound drivers."""

from __future__ import annotations

import structlog

from edge_agent.devices.buzzer_simulated import SimulatedBuzzer
from edge_agent.devices.sound_log import SoundLog
from edge_agent.devices.voice_alsa import AlsaVoice
from edge_agent.devices.voice_simulated import SimulatedVoice
from edge_agent.ports import Buzzer, SoundError, Voice
from edge_agent.settings import Settings
from edge_agent.sounds import Sounds

_log = structlog.get_logger("wiring")


def make_sounds(settings: Settings) -> Sounds:
    """The sounds the settings name. One that can't be had is told in the log and left out: nobody needs it."""
    sound, log = settings.sound, SoundLog(settings.sound.log)
    buzzer: Buzzer | None = None
    try:
        if sound.buzzer == "gpio":
            from edge_agent.devices.buzzer_gpio import GpioBuzzer

            buzzer = GpioBuzzer(sound, settings.leds)
        elif sound.buzzer == "simulated":
            buzzer = SimulatedBuzzer(log)
    except SoundError as error:
        _log.warning("sound_failed", device="buzzer", problem=str(error))
    voice: Voice | None = None
    if sound.voice == "alsa":
        voice = AlsaVoice(sound.language, sound.device)
    elif sound.voice == "simulated":
        voice = SimulatedVoice(sound.language, log)
    return Sounds(buzzer, voice)
