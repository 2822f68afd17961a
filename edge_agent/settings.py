"""YAML file -> validated settings. An unknown key, a wrong type or a value out of range is an error with file and line.

Rules: every duration, length and rate carries its unit in its name and its bounds here; relative paths are relative to
the settings file. A rule over several keys raises ValueError("section.key: what is wrong; remedy"). Nothing is read
from the environment.
"""

from __future__ import annotations

import difflib
import os
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from edge_agent.core.model import PadMode
from edge_agent.settings_errors import SettingsError, explain
from edge_agent.settings_section import Identifier, Ratio, Seconds, Section, SectionT
from edge_agent.settings_uplink import UplinkSettings
from edge_agent.settings_yaml import read_document

SHIPPED_MANIFEST = Path(__file__).parents[1] / "models" / "manifest.yaml"
"""The models of this release, for commands that are given no settings file."""


class TerminalSettings(Section):
    """Who and where this terminal is."""

    id: Identifier = Field(description="unique among all terminals; stands on slips and in every record")
    site: Identifier = Field(description="the roster's site")
    place: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="printed on slips: 'Balai Desa …'")
    timezone: str = Field("Asia/Jakarta", description="of dates and times on slips")
    language: Literal["id", "jv", "en"] = Field("id", description="of slips: Indonesian, Javanese, English")
    complaint_channel: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="printed on slips: where to object"
    )
    show_name_on_slip: bool = Field(False, description="print the recipient's display name")

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, value: str) -> str:
        known = zoneinfo.available_timezones()
        if value not in known:
            near = difflib.get_close_matches(value, known, 1, 0.6)
            remedy = (
                f"did you mean '{near[0]}'?"
                if near
                else "give a name like Asia/Jakarta, Asia/Makassar or Asia/Jayapura"
            )
            raise ValueError(f"is no known time zone; {remedy}")
        return value


class CameraSettings(Section):
    """Which camera, and how often to look."""

    driver: Literal["picamera2", "v4l2", "file", "puppet"] = Field(
        description="picamera2: Pi camera; v4l2: webcam; file and puppet: for trials"
    )
    device: str = Field("/dev/video0", description="v4l2 only: a path or an index")
    path: Path | None = Field(None, description="file: a video or a folder of pictures; puppet: the script (YAML)")
    start_s: Annotated[float, Field(ge=0, le=86_400)] = Field(0.0, description="file only: begin so far into it")
    loop: bool = Field(False, description="file only: begin again at its end")
    realtime: bool = Field(True, description="file only: pace by the recording's clock; false: as fast as possible")
    width_px: Annotated[int, Field(ge=160, le=4096)] = Field(640, description="of the frames asked for")
    height_px: Annotated[int, Field(ge=120, le=4096)] = Field(480, description="of the frames asked for")
    fps_awake: Annotated[float, Field(ge=1, le=60)] = Field(15.0, description="with somebody in front")
    fps_idle: Annotated[float, Field(ge=0.5, le=60)] = Field(4.0, description="with nobody there; saves power")
    stalled_after_s: Seconds = Field(5.0, description="without a frame for so long the camera counts as failed")

    @model_validator(mode="after")
    def _file_needs_a_path(self) -> CameraSettings:
        if self.driver in ("file", "puppet") and self.path is None:
            raise ValueError(f"camera.path: driver '{self.driver}' needs a path; add `path: FILE`")
        return self


class QualitySettings(Section):
    """Bounds a frame must meet before it is used as a probe. Sources: docs/vision.md, 'Quality bounds'."""

    eye_distance_min_px: Annotated[float, Field(ge=10, le=2000)] = Field(
        40.0, description="outer eye corner distance; less: 'too far'"
    )
    eye_distance_max_ratio: Ratio = Field(0.42, description="outer eye corner distance over the frame's shorter side")
    outside_max_ratio: Ratio = Field(0.02, description="share of the face mesh outside the frame: 'cut off'")
    parallax_max: Ratio = Field(0.12, description="nose offset over eye distance; above it the head is 'turned'")
    roll_max_deg: Annotated[float, Field(ge=5, le=90)] = Field(30.0, description="tilt of the eye line; more: 'turned'")
    pitch_ratio_min: Ratio = Field(
        0.2, description="nose drop over chin drop, below the eye line; less: head thrown back"
    )
    pitch_ratio_max: Annotated[float, Field(ge=0, le=3)] = Field(
        0.48, description="as pitch_ratio_min; more: head bowed"
    )
    sharpness_min: Ratio = Field(0.18, description="share of the face's gradients that a small blur takes away")
    brightness_min: Annotated[float, Field(ge=0, le=255)] = Field(
        40.0, description="luma, 0..255, that the brightest twentieth of the face must reach"
    )
    glare_max_ratio: Ratio = Field(0.15, description="share of face pixels with luma 250 or more")
    eye_open_min: Ratio = Field(0.14, description="eye height over eye width, mean of both")
    eye_closing_ratio: Ratio = Field(
        0.7, description="share of this face's own usual opening below which eyes are closed"
    )
    second_face_ratio: Ratio = Field(0.5, description="second face this large beside the first: 'many faces'")


class VisionSettings(Section):
    """Models and how frames are turned into observations."""

    manifest: Path = Field(Path("../models/manifest.yaml"), description="the models in use, with their hashes")
    mirrored_average: bool = Field(
        False,
        description="average with the mirrored face: a second run of the model; pays with some, see models/README.md",
    )
    threads: Annotated[int, Field(ge=1, le=8)] = Field(1, description="of the model's interpreter")
    quality: QualitySettings = QualitySettings()
    track_max_gap_s: Seconds = Field(1.0, description="unseen for longer, a face is a new track")
    track_max_jump_ratio: Annotated[float, Field(gt=0, le=5)] = Field(
        0.6, description="move within 1/15 s, in eye distances, above which it is another track"
    )
    track_swap_fmr: Annotated[float, Field(gt=0, le=0.1)] = Field(
        1e-4, description="a frame less like its track than the model's threshold for this FMR is somebody else's face"
    )
    track_swap_turned_fmr: Annotated[float, Field(gt=0, le=0.1)] = Field(
        1e-3, description="the same for a turned head, which is less like its own straight look"
    )


class SessionSettings(Section):
    """Time limits. A session ends within max_s, recording and printing included."""

    max_s: Annotated[float, Field(ge=10, le=120)] = Field(52.0, description="longest session, slip included")
    arrive_s: Seconds = Field(0.4, description="a face must stay so long before a session begins")
    acquire_s: Seconds = Field(8.0, description="longest wait for a usable view")
    acquire_frames: Annotated[int, Field(ge=1, le=60)] = Field(
        3, description="usable frames wanted before the challenge"
    )
    identify_s: Seconds = Field(4.0, description="longest wait for enough probes")
    record_s: Seconds = Field(2.0, description="longest wait for the store")
    authorise_s: Seconds = Field(5.0, description="longest wait for the centre, where it is asked")
    print_s: Seconds = Field(8.0, description="longest wait for the slip")
    settle_s: Seconds = Field(4.0, description="how long the result is shown")
    desk_s: Annotated[float, Field(gt=0, le=300)] = Field(
        30.0, description="an officer's badge counts so long after the last card"
    )
    absent_s: Seconds = Field(1.5, description="gone for longer, the person has left")
    probe_frames: Annotated[int, Field(ge=1, le=60)] = Field(6, description="frames fused into the probe")

    @model_validator(mode="after")
    def _limits_fit(self) -> SessionSettings:
        least = self.arrive_s + 2 * self.record_s + self.authorise_s + self.print_s + 5.0
        if self.max_s < least:
            raise ValueError(
                f"session.max_s: {self.max_s:g} leaves under 5 s for the person; "
                f"raise it to at least {least:g} or lower record_s, authorise_s or print_s"
            )
        return self


class PadSettings(Section):
    """Liveness: head turns cued by the left and right LED."""

    mode: PadMode = Field(
        PadMode.ENFORCED, description="disabled: nothing is asked; recorded: asked and noted; enforced: required"
    )
    attempts: Annotated[int, Field(ge=1, le=5)] = Field(2, description="challenges before the person is referred")
    turns: Annotated[int, Field(ge=1, le=8)] = Field(3, description="head turns asked in one challenge")
    answer_min_s: Seconds = Field(0.15, description="a turn completed sooner was not an answer to the cue")
    answer_max_s: Seconds = Field(4.0, description="longest time for one turn; see docs/liveness.md")
    centre_s: Seconds = Field(4.0, description="longest time to look ahead again")
    turn_parallax: Ratio = Field(0.13, description="change from the person's own straight look that counts as a turn")
    centre_parallax: Ratio = Field(0.07, description="within this of the straight look counts as looking ahead")
    slow_factor: Annotated[float, Field(ge=1, le=3)] = Field(
        1.5, description="who wasn't seen to turn in time gets windows longer by this in the next try"
    )
    slow_turn_parallax: Ratio = Field(0.10, description="and a turn this far is enough in it; 1 leaves turn_parallax")
    cues: Literal["recorded", "enforced"] = Field(
        "enforced",
        description="what docs/pad-cues.md lists: only written into the record, or required of a live person",
    )


class MatchingSettings(Section):
    """Targets, not scores: scores follow from the model's measured curve and the gallery size."""

    verification_fmr: Annotated[float, Field(gt=0, le=0.1)] = Field(
        1e-4, description="false match rate aimed at with a token (1:1)"
    )
    identification_fpir: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.01, description="false positive rate aimed at without one (1:N)"
    )
    margin: Ratio = Field(0.06, description="1:N: lead the best subject needs over the runner-up; see models/README.md")


class TokenSettings(Section):
    """Cards with a QR code that name a subject (1:1); see docs/tokens.md."""

    camera: bool = Field(True, description="the camera looks for codes while nobody is past being looked at")
    reader: Literal["none", "serial"] = Field(
        "none", description="serial: a barcode reader on a serial line; USB readers in serial (CDC) mode"
    )
    device: Annotated[str, Field(min_length=1, max_length=200)] = Field("/dev/ttyACM0", description="of the reader")
    baud: Literal[1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200] = Field(
        9600, description="of the reader; USB readers take any"
    )
    fall_back_to_identification: bool = Field(
        True, description="false: whoever holds up a card that isn't taken is referred instead of looked for by face"
    )
    ask_when_ambiguous: bool = Field(
        True, description="who looks like two people on the list is asked for their card before they are referred"
    )

    @property
    def read_here(self) -> bool:
        """Whether this terminal can read a card at all."""
        return self.camera or self.reader != "none"


class PrinterSettings(Section):
    """Which printer."""

    driver: Literal["serial", "file", "network", "simulated"] = Field(
        description="serial; file: a device file; network: port 9100; simulated: pictures"
    )
    device: str = Field("/dev/ttyUSB0", description="serial port or raw device file (/dev/usb/lp0)")
    baud: Annotated[int, Field(ge=1200, le=921_600)] = Field(
        19_200, description="serial only: as on the printer's self-test"
    )
    host: str = Field("", description="network only")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(9100, description="network only")
    paper_mm: Literal[58, 80] = Field(58, description="width of the roll")
    code_page: str = Field("CP437", description="for letters beyond ASCII")
    timeout_s: Seconds = Field(3.0, description="longest wait for the port")
    flow_control: Literal["none", "rts_cts", "xon_xoff"] = Field(default="none", description="serial only")
    status: bool = Field(True, description="false for printers that can't answer DLE EOT; failures then go unseen")
    queued_status: bool = Field(
        default=True, description="false for printers that print GS r 1 instead of answering it"
    )
    slip_timeout_s: Seconds = Field(default=20.0, description="longest wait for the printer to confirm a slip")
    profile: str = Field(default="default", description="python-escpos profile: numbers the code pages")
    qr: Literal["native", "raster"] = Field(default="native", description="raster for printers without GS ( k")
    cutter: bool | None = Field(default=None, description="unset: 80 mm printers cut, 58 mm slips are torn off")
    tear_feed_mm: Annotated[float, Field(ge=0, le=100)] = Field(default=14.0, description="head to tear bar")
    folder: Path | None = Field(None, description="simulated only: where slips go as PNG and text")
    script: Path | None = Field(None, description="simulated only: scripted faults (YAML)")

    @model_validator(mode="after")
    def _driver_has_what_it_needs(self) -> PrinterSettings:
        if self.driver == "network" and not self.host:
            raise ValueError("printer.host: driver 'network' needs a host; add `host: ADDRESS`")
        if self.driver == "simulated" and self.folder is None:
            raise ValueError("printer.folder: driver 'simulated' needs a folder for the slips; add `folder: DIR`")
        return self


class LedSettings(Section):
    """Which LED driver; pins are BCM numbers (Pi) or BOARD numbers (Jetson) by `numbering`."""

    driver: Literal["gpio", "simulated"] = Field(description="gpio: real LEDs; simulated: none")
    module: Literal["RPi.GPIO", "Jetson.GPIO"] = Field(
        "RPi.GPIO", description="RPi.GPIO (also rpi-lgpio) or Jetson.GPIO"
    )
    numbering: Literal["BCM", "BOARD"] = Field("BCM", description="BCM: GPIO numbers; BOARD: pin numbers of the header")
    pins: dict[Literal["left", "right", "green", "yellow", "red"], Annotated[int, Field(ge=1, le=40)]] = Field(
        {"left": 17, "right": 27, "green": 22, "yellow": 23, "red": 24}, description="one line for each LED"
    )
    active_low: bool = Field(False, description="an LED lights when its line is low")
    terminal: bool = Field(False, description="simulated only: draw the LEDs in colour on the terminal")

    @model_validator(mode="after")
    def _pins_complete_and_distinct(self) -> LedSettings:
        missing = {"left", "right", "green", "yellow", "red"} - set(self.pins)
        if missing:
            raise ValueError(f"leds.pins: no pin for {', '.join(sorted(missing))}; name all five")
        if len(set(self.pins.values())) < len(self.pins):
            raise ValueError("leds.pins: two LEDs share a pin; give each its own")
        return self


class SoundSettings(Section):
    """Optional sounds beside the lights, docs/recipients.md; what fails here never keeps anybody from being served."""

    buzzer: Literal["none", "gpio", "simulated"] = Field(
        "none", description="gpio: an active buzzer on one line, numbered and driven as the LEDs are"
    )
    buzzer_pin: Annotated[int, Field(ge=1, le=40)] = Field(25, description="its line, numbered by leds.numbering")
    buzzer_active_low: bool = Field(False, description="the buzzer sounds when its line is low")
    voice: Literal["none", "alsa", "simulated"] = Field(
        "none", description="alsa: spoken prompts through a sound card (`aplay`, package alsa-utils)"
    )
    language: Literal["id", "jv"] = Field("id", description="of the spoken prompts: Indonesian, Javanese")
    device: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        "default", description="alsa only: the card, as `aplay -L` names it"
    )
    log: Path | None = Field(None, description="simulated only: a file for one line of JSON a sound")


class StoreSettings(Section):
    """The one database file and the keys."""

    path: Path = Field(description="the database")
    template_key: Path = Field(description="32 random bytes; a file, or a name under $CREDENTIALS_DIRECTORY")
    signing_key: Path = Field(description="Ed25519 private key of this terminal, PEM")
    roster_key: Path = Field(description="Ed25519 public key that signs rosters, PEM")
    disk_free_min_mb: Annotated[float, Field(ge=1, le=100_000)] = Field(
        50.0, description="with less free, log and centre are told (`disk.low`); a full disk closes the terminal"
    )


class LogSettings(Section):
    """Logs go to standard error; `auto`: JSON unless it is a terminal."""

    format: Literal["auto", "json", "text"] = Field("auto", description="auto: JSON under systemd, text in a terminal")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is written")


class Settings(Section):
    """Everything a terminal can be told."""

    terminal: TerminalSettings
    camera: CameraSettings
    vision: VisionSettings = VisionSettings()
    session: SessionSettings = SessionSettings()
    pad: PadSettings = PadSettings()
    matching: MatchingSettings = MatchingSettings()
    printer: PrinterSettings
    leds: LedSettings
    sound: SoundSettings = SoundSettings()
    tokens: TokenSettings = TokenSettings()
    store: StoreSettings
    uplink: UplinkSettings = UplinkSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _buzzer_has_its_own_line(self) -> Settings:
        if self.sound.buzzer == "gpio" and self.sound.buzzer_pin in self.leds.pins.values():
            raise ValueError(f"sound.buzzer_pin: line {self.sound.buzzer_pin} drives an LED; give the buzzer its own")
        return self


@dataclass(frozen=True)
class LoadedSettings:
    """Settings with where they came from. sha256: hex digest of the file's bytes, the configuration's name at ops."""

    settings: Settings
    sha256: str
    path: Path


def load(path: Path) -> LoadedSettings:
    """Read and check a settings file; relative paths become absolute. Raises SettingsError with every problem found."""
    document = read_document(path)
    problems = list(document.problems)
    try:
        settings = Settings.model_validate(document.data)
    except ValidationError as error:
        raise SettingsError([*problems, *explain(error, document, Settings)]) from error
    if problems:
        raise SettingsError(problems)
    return LoadedSettings(_anchored(settings, path.absolute().parent), document.sha256, path)


def leds_alone(path: Path) -> LedSettings | None:
    """The LEDs of a file that can't be used as a whole, to show that by; None when they can't be made out."""
    try:
        return LedSettings.model_validate(read_document(path).data.get("leds"))
    except (SettingsError, ValidationError):
        return None


def _anchored(section: SectionT, folder: Path) -> SectionT:
    """The same section with every relative path, defaults too, joined to the folder of the settings file."""
    changed: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Path):
            changed[name] = Path(os.path.normpath(folder / value.expanduser()))
        elif isinstance(value, Section):
            changed[name] = _anchored(value, folder)
    return section.model_copy(update=changed)
