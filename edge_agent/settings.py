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
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from edge_agent.core.model import PadMode
from edge_agent.settings_errors import SettingsError, explain
from edge_agent.settings_yaml import read_document

Seconds = Annotated[float, Field(gt=0, le=600)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Section(BaseModel):
    """A part of the settings: closed (unknown keys refused) and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation in (int, float):
            raise ValueError("is true or false, a number is wanted; give a number")
        return value


SectionT = TypeVar("SectionT", bound=Section)


class TerminalSettings(Section):
    """Who and where this terminal is."""

    id: Identifier
    site: Identifier
    place: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="printed on slips: 'Balai Desa …'")
    timezone: str = "Asia/Jakarta"
    language: Literal["id", "en"] = "id"
    complaint_channel: Annotated[str, Field(min_length=1, max_length=80)]
    show_name_on_slip: bool = False

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

    driver: Literal["picamera2", "v4l2", "file", "puppet"]
    device: str = Field("/dev/video0", description="v4l2 only: a path or an index")
    path: Path | None = Field(None, description="file: a video or a folder of pictures; puppet: the script (YAML)")
    loop: bool = Field(False, description="file only")
    realtime: bool = Field(True, description="file only: pace by the recording's clock; false: as fast as possible")
    width_px: Annotated[int, Field(ge=160, le=4096)] = 640
    height_px: Annotated[int, Field(ge=120, le=4096)] = 480
    fps_awake: Annotated[float, Field(ge=1, le=60)] = 15.0
    fps_idle: Annotated[float, Field(ge=0.5, le=60)] = 4.0
    stalled_after_s: Seconds = 5.0

    @model_validator(mode="after")
    def _file_needs_a_path(self) -> CameraSettings:
        if self.driver in ("file", "puppet") and self.path is None:
            raise ValueError(f"camera.path: driver '{self.driver}' needs a path; add `path: FILE`")
        return self


class QualitySettings(Section):
    """Bounds a frame must meet before it is used as a probe. Sources: docs/vision.md, 'Quality bounds'."""

    eye_distance_min_px: Annotated[float, Field(ge=10, le=2000)] = 40.0
    eye_distance_max_ratio: Ratio = Field(0.42, description="outer eye corner distance over the frame's shorter side")
    outside_max_ratio: Ratio = Field(0.02, description="share of the face mesh outside the frame: 'cut off'")
    parallax_max: Ratio = Field(0.12, description="nose offset over eye distance; above it the head is 'turned'")
    roll_max_deg: Annotated[float, Field(ge=5, le=90)] = 30.0
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

    manifest: Path = Path("../models/manifest.yaml")
    mirrored_average: bool = True
    threads: Annotated[int, Field(ge=1, le=8)] = 1
    quality: QualitySettings = QualitySettings()
    track_max_gap_s: Seconds = 0.6
    track_max_jump_ratio: Annotated[float, Field(gt=0, le=5)] = Field(
        0.6, description="move within 1/15 s, in eye distances, above which it is another track"
    )
    track_swap_fmr: Annotated[float, Field(gt=0, le=0.1)] = Field(
        1e-4, description="a frame less like its track than the model's threshold for this FMR is somebody else's face"
    )


class SessionSettings(Section):
    """Time limits. A session ends within max_s, recording and printing included."""

    max_s: Annotated[float, Field(ge=10, le=120)] = 30.0
    arrive_s: Seconds = 0.4
    acquire_s: Seconds = 8.0
    acquire_frames: Annotated[int, Field(ge=1, le=60)] = 3
    identify_s: Seconds = 4.0
    record_s: Seconds = 2.0
    print_s: Seconds = 8.0
    settle_s: Seconds = 4.0
    absent_s: Seconds = 1.5
    probe_frames: Annotated[int, Field(ge=1, le=60)] = 6

    @model_validator(mode="after")
    def _limits_fit(self) -> SessionSettings:
        least = self.arrive_s + self.record_s + self.print_s + 5.0
        if self.max_s < least:
            raise ValueError(
                f"session.max_s: {self.max_s:g} leaves under 5 s for the person; "
                f"raise it to at least {least:g} or lower record_s or print_s"
            )
        return self


class PadSettings(Section):
    """Liveness: head turns cued by the left and right LED."""

    mode: PadMode = PadMode.ENFORCED
    attempts: Annotated[int, Field(ge=1, le=5)] = 2
    turns: Annotated[int, Field(ge=1, le=8)] = 3
    answer_min_s: Seconds = Field(0.15, description="a turn completed sooner was not an answer to the cue")
    answer_max_s: Seconds = 2.5
    centre_s: Seconds = 2.0
    turn_parallax: Ratio = Field(0.13, description="change from the person's own straight look that counts as a turn")
    centre_parallax: Ratio = Field(0.07, description="within this of the straight look counts as looking ahead")


class MatchingSettings(Section):
    """Targets, not scores: scores follow from the model's measured curve and the gallery size."""

    verification_fmr: Annotated[float, Field(gt=0, le=0.1)] = 1e-4
    identification_fpir: Annotated[float, Field(gt=0, le=0.5)] = 0.01
    margin: Ratio = Field(0.01, description="1:N: lead the best subject needs over the runner-up; see models/README.md")


class PrinterSettings(Section):
    """Which printer."""

    driver: Literal["serial", "file", "network", "simulated"]
    device: str = Field("/dev/ttyUSB0", description="serial port or raw device file (/dev/usb/lp0)")
    baud: Annotated[int, Field(ge=1200, le=921_600)] = 19_200
    host: str = ""
    port: Annotated[int, Field(ge=1, le=65_535)] = 9100
    paper_mm: Literal[58, 80] = 58
    code_page: str = "CP437"
    timeout_s: Seconds = 3.0
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

    driver: Literal["gpio", "simulated"]
    module: Literal["RPi.GPIO", "Jetson.GPIO"] = "RPi.GPIO"
    numbering: Literal["BCM", "BOARD"] = "BCM"
    pins: dict[Literal["left", "right", "green", "yellow", "red"], Annotated[int, Field(ge=1, le=40)]] = {
        "left": 17,
        "right": 27,
        "green": 22,
        "yellow": 23,
        "red": 24,
    }
    active_low: bool = False
    terminal: bool = Field(False, description="simulated only: draw the LEDs in colour on the terminal")

    @model_validator(mode="after")
    def _pins_complete_and_distinct(self) -> LedSettings:
        missing = {"left", "right", "green", "yellow", "red"} - set(self.pins)
        if missing:
            raise ValueError(f"leds.pins: no pin for {', '.join(sorted(missing))}; name all five")
        if len(set(self.pins.values())) < len(self.pins):
            raise ValueError("leds.pins: two LEDs share a pin; give each its own")
        return self


class StoreSettings(Section):
    """The one database file and the keys."""

    path: Path
    template_key: Path = Field(description="32 random bytes; a file, or a name under $CREDENTIALS_DIRECTORY")
    signing_key: Path = Field(description="Ed25519 private key of this terminal, PEM")
    roster_key: Path = Field(description="Ed25519 public key that signs rosters, PEM")
    disk_free_min_mb: Annotated[float, Field(ge=1, le=100_000)] = 50.0


class TlsSettings(Section):
    """TLS to the broker; certificate and key for a client certificate."""

    ca: Path
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> TlsSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("uplink.tls: certificate and key go together; give both or neither")
        return self


class UplinkSettings(Section):
    """The broker."""

    enabled: bool = True
    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8883
    username: str | None = None
    password_file: Path | None = None
    tls: TlsSettings | None = None
    topic_prefix: Annotated[str, Field(pattern=r"^[^#+\s]+$", max_length=100)] = "aid/v1"
    keepalive_s: Annotated[int, Field(ge=5, le=1200)] = 30
    heartbeat_s: Annotated[float, Field(ge=1, le=3600)] = 60.0
    backoff_min_s: Seconds = 1.0
    backoff_max_s: Annotated[float, Field(gt=0, le=3600)] = 300.0
    inflight_max: Annotated[int, Field(ge=1, le=100)] = 10
    session_expiry_s: Annotated[int, Field(ge=0, le=4_294_967_295)] = 604_800


class LogSettings(Section):
    """Logs go to standard error; `auto`: JSON unless it is a terminal."""

    format: Literal["auto", "json", "text"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


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
    store: StoreSettings
    uplink: UplinkSettings = UplinkSettings()
    log: LogSettings = LogSettings()


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
