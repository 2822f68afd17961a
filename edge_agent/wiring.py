"""Settings -> real or simulated parts, put together; with `wiring_sound` the only file that names drivers.

Rules: a driver's module is imported only when the settings choose it, so that the package imports on any machine.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge_agent.agent import Agent, Crew, Identity
from edge_agent.clock import SystemClock
from edge_agent.core.model import Gallery, Part
from edge_agent.core.rules import Limits, MatchRules, PadRules, Rules
from edge_agent.core.slip import SlipTerminal
from edge_agent.core.state import Phase, Session
from edge_agent.crew import AnyWorker, Slot
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.devices.printer_worker import PrinterWorker
from edge_agent.devices.token_reader import TokenReader
from edge_agent.disk_watch import DiskWatch
from edge_agent.gallery_hold import GalleryHold
from edge_agent.key_files import load_signing_key, load_verifying_key
from edge_agent.language.phrases import CataloguePhrases, PhraseError
from edge_agent.ports import (
    Camera,
    CameraError,
    EmbedderId,
    LedPanel,
    Printer,
    TerminalError,
)
from edge_agent.recorder import Recorder
from edge_agent.release_desk import ReleaseDesk
from edge_agent.settings import (
    CameraSettings,
    LedSettings,
    LoadedSettings,
    Settings,
    TerminalSettings,
    TokenSettings,
)
from edge_agent.slip_desk import SlipDesk
from edge_agent.store.claims import TerminalIdentity
from edge_agent.store.database import known_version
from edge_agent.store.keys import load_keys
from edge_agent.store.outbox import SqliteOutbox
from edge_agent.store.store import Store, check_disk
from edge_agent.token_desk import TokenBook, TokenDesk, believable_now, read_own_slips
from edge_agent.uplink.host_health import HostHealth
from edge_agent.uplink.worker import UplinkWorker
from edge_agent.vision import manifest as manifests
from edge_agent.vision.codes import CodeWatch, QrReader
from edge_agent.vision.loading import load_observer
from edge_agent.vision.manifest import Manifest
from edge_agent.vision.operating_points import OperatingPointError
from edge_agent.vision.worker import VisionWorker
from edge_agent.watchdog import Heartbeats, RestartBudget, SystemdNotifier
from edge_agent.wiring_authority import make_authority_desk
from edge_agent.wiring_sound import make_sounds

SILENCE_S = {Part.VISION: 10.0, Part.PRINTER: 45.0, Part.UPLINK: 20.0, Part.TOKEN_READER: math.inf}
"""Longest silence of a healthy worker: loading models on a Pi, printing a long slip slowly, a TLS handshake. A card
reader that hangs is no reason to restart a terminal that can serve."""

_READS_CODES = frozenset({Phase.IDLE, Phase.ACQUIRING, Phase.ASSISTING, Phase.OUT_OF_SERVICE})

RESTARTS, RESTARTS_WITHIN_S = 3, 600.0

FUSED = 2
"""Probes average several frames and templates several photographs, and averages of strangers are more alike than single
pictures: scores come from the curve measured on averages of two (models/README.md, *Fusion*)."""

_UPLINK_WARNINGS = frozenset({"uplink_problem", "uplink_stop_failed"})

_log = structlog.get_logger("wiring")


def make_camera(camera: CameraSettings, leds: LedPanel | None = None) -> Camera:
    """The camera the settings name, not opened. The puppet watches `leds`, which must be simulated ones."""
    if camera.driver == "picamera2":
        from edge_agent.devices.camera_picamera2 import Picamera2Camera

        return Picamera2Camera(camera)
    if camera.driver == "v4l2":
        from edge_agent.devices.camera_v4l2 import V4l2Camera

        return V4l2Camera(camera)
    if camera.driver == "file":
        from edge_agent.devices.camera_file import FileCamera

        return FileCamera(camera)
    from edge_agent.devices.puppet.camera import PuppetCamera
    from edge_agent.devices.puppet.script import load_script

    if not isinstance(leds, SimulatedLeds):
        raise CameraError("camera.driver: 'puppet' watches simulated LEDs; set leds.driver to 'simulated'")
    if camera.path is None:
        raise CameraError("camera.path: the puppet's script is missing; add `path: FILE`")
    return PuppetCamera(load_script(camera.path), leds, camera)


def make_printer(settings: Settings) -> Printer:
    """The printer the settings name; its port is opened at its first use."""
    if settings.printer.driver == "simulated":
        from edge_agent.devices import printer_simulated

        return printer_simulated.open_printer(settings.printer)
    from edge_agent.devices import printer_escpos

    return printer_escpos.open_printer(settings.printer)


def make_leds(leds: LedSettings) -> LedPanel:
    """The LEDs the settings name, their lines claimed. Raises LedError."""
    if leds.driver == "simulated":
        return SimulatedLeds(sys.stderr if leds.terminal else None)
    from edge_agent.devices.led_gpio import GpioLeds

    return GpioLeds(leds)


def make_phrases(language: str) -> CataloguePhrases:
    """The texts of slips. Raises TerminalError when the installation lacks them."""
    try:
        return CataloguePhrases(language)
    except PhraseError as error:
        raise TerminalError(str(error)) from error


def load_manifest(settings: Settings) -> Manifest:
    """The manifest, with the models in use verified against their hashes. Raises ManifestError and its kin."""
    manifest = manifests.load(settings.vision.manifest)
    manifests.require_verified(manifest, settings.vision.manifest.parent)
    return manifest


def embedder_id(manifest: Manifest) -> EmbedderId:
    """Which embedder a roster must be made with."""
    return EmbedderId(manifest.active_embedder.name, manifest.active_embedder.sha256)


def terminal_identity(settings: Settings) -> TerminalIdentity:
    """Who this terminal is, for its records."""
    terminal = settings.terminal
    return TerminalIdentity(terminal.id, terminal.site, terminal.place, terminal.timezone)


def open_store(settings: Settings, manifest: Manifest) -> Store:
    """The database, opened and checked, with its keys. Raises StoreError, KeyFileError."""
    keys = load_keys(settings.store)
    return Store.open(settings.store.path, keys, terminal_identity(settings), embedder=embedder_id(manifest))


def make_rules(settings: Settings, manifest: Manifest, gallery: Gallery) -> Rules:
    """Limits as set; scores from the model's measured curve, for 1:N by the size of this gallery."""
    session, pad, passive = settings.session, settings.pad, manifest.active_passive_pad
    return Rules(
        gallery=gallery,
        match=match_rules(settings, manifest, len(gallery)),
        limits=Limits(
            max_s=session.max_s,
            arrive_s=session.arrive_s,
            acquire_s=session.acquire_s,
            acquire_frames=session.acquire_frames,
            identify_s=session.identify_s,
            record_s=session.record_s,
            print_s=session.print_s,
            settle_s=session.settle_s,
            absent_s=session.absent_s,
            probe_frames=session.probe_frames,
            authorise_s=session.authorise_s,
            desk_s=session.desk_s,
        ),
        ask_card=settings.tokens.ask_when_ambiguous and settings.tokens.read_here,
        ask_centre=settings.uplink.enabled and settings.uplink.authorise,
        token_fallback=settings.tokens.fall_back_to_identification,
        pad=PadRules(
            mode=pad.mode,
            attempts=pad.attempts,
            turns=pad.turns,
            answer_min_s=pad.answer_min_s,
            answer_max_s=pad.answer_max_s,
            centre_s=pad.centre_s,
            turn_parallax=pad.turn_parallax,
            centre_parallax=pad.centre_parallax,
            slow_factor=pad.slow_factor,
            slow_turn_parallax=pad.slow_turn_parallax,
            cues_decide=pad.cues == "enforced",
            passive_threshold=None if passive is None else passive.threshold,
        ),
    )


def match_rules(settings: Settings, manifest: Manifest, gallery_size: int) -> MatchRules:
    """The scores that meet the targets in `matching`, told in the log. Raises OperatingPointError when none can."""
    spec, matching, mirrored = manifest.active_embedder, settings.matching, settings.vision.mirrored_average
    verification = spec.threshold_for_fmr(matching.verification_fmr, fused=FUSED, mirrored=mirrored)
    fpir, size = matching.identification_fpir, max(1, gallery_size)
    try:
        identification = spec.threshold_for_fpir(fpir, size, fused=FUSED, mirrored=mirrored)
    except OperatingPointError as error:
        # People must still be served: the strictest score that was measured, and a warning that it misses the target.
        identification = spec.strictest_threshold(fused=FUSED, mirrored=mirrored)
        _log.warning("gallery_too_large", problem=str(error), identification_score=round(identification, 4))
    _log.info(
        "scores_chosen",
        model=spec.name,
        verification_fmr=matching.verification_fmr,
        verification_score=round(verification, 4),
        identification_fpir=matching.identification_fpir,
        gallery=gallery_size,
        identification_score=round(identification, 4),
        margin=matching.margin,
    )
    return MatchRules(verification, identification, matching.margin)


@dataclass
class Terminal:
    """A terminal put together: `run` serves until told to stop."""

    agent: Agent
    crew: Crew
    store: Store

    def run(self) -> None:
        """Serve; closes the store at the end."""
        try:
            self.agent.run(self.crew)
        finally:
            self.store.close()


def build_terminal(loaded: LoadedSettings, notifier: SystemdNotifier) -> Terminal:
    """Everything the settings name, ready to run. Raises TerminalError naming what is wrong and the remedy."""
    manifest = load_manifest(loaded.settings)
    store = open_store(loaded.settings, manifest)
    try:
        leds = make_leds(loaded.settings.leds)
        try:
            return _assemble(loaded, manifest, store, leds, notifier)
        except BaseException:
            leds.close()
            raise
    except BaseException:
        store.close()
        raise


def _assemble(
    loaded: LoadedSettings, manifest: Manifest, store: Store, leds: LedPanel, notifier: SystemdNotifier
) -> Terminal:
    settings = loaded.settings
    gallery, roster = store.gallery(), store.roster_info()
    if not len(gallery):
        _log.warning("roster_empty", remedy="import one: edge-agent roster import FILE; until then all are referred")
    if store.wipe_problem:
        _log.warning("deleted_templates_not_wiped", problem=store.wipe_problem)
    for receipt in store.unprinted():
        _log.warning("slip_unprinted", case=receipt.case_number, session=receipt.session_id)
    clock, heartbeats = SystemClock(), Heartbeats()
    uplinks: list[Slot[UplinkWorker]] = []

    def wake_uplink() -> None:
        for slot in uplinks:
            slot.worker.wake()

    recorder = Recorder(store, clock.now, wake_uplink)
    releases = ReleaseDesk(store, clock.now, wake_uplink)
    agent = Agent(
        gallery=GalleryHold(make_rules(settings, manifest, gallery), store.gallery),
        recorder=recorder,
        leds=leds,
        slips=SlipDesk(
            make_phrases(settings.terminal.language),
            _slip_terminal(settings.terminal),
            store,
        ),
        identity=Identity(
            models=manifest.model_hashes(),
            config_hash=loaded.sha256,
            store_schema=known_version(),
            roster_version=roster.version,
            subjects=len(set(gallery.subject_ids)),
        ),
        clock=clock,
        heartbeats=heartbeats,
        notifier=notifier,
        disk=DiskWatch(lambda: check_disk(settings.store.path, settings.store.disk_free_min_mb)),
        sounds=make_sounds(settings),
        closed_by=store.closed_by(),
        settle_releases=releases.settle,
    )
    book = TokenBook(
        load_verifying_key(settings.store.roster_key),
        frozenset(gallery.subject_ids),
        store.revoked_tokens(),
        roster.issued_at,
        frozenset(officer.officer_id for officer in store.officers()),
    )
    own_slips = read_own_slips(load_signing_key(settings.store.signing_key).public_key(), settings.terminal.id)
    past = store.surely_past()
    desk = TokenDesk(book, lambda: believable_now(clock.now(), past), agent.inbox.post, read_slip=own_slips)
    crew = _make_crew(settings, agent, heartbeats, desk, releases)
    if crew.uplink is not None:
        uplinks.append(crew.uplink)
    return Terminal(agent, crew, store)


def _slip_terminal(terminal: TerminalSettings) -> SlipTerminal:
    return SlipTerminal(
        terminal.id,
        terminal.site,
        terminal.place,
        terminal.complaint_channel,
        terminal.timezone,
        terminal.show_name_on_slip,
    )


def reads_codes(session: Session) -> bool:
    """Whether a code held up now can be of use."""
    return session.phase in _READS_CODES or session.asked_card_s is not None


def make_code_watch(tokens: TokenSettings, agent: Agent, desk: TokenDesk) -> CodeWatch | None:
    """What looks for codes in the camera's frames: until a challenge has begun, since a code is of no use after it; and
    for an officer's badge, also where the terminal is closed."""
    if not tokens.camera:
        return None
    return CodeWatch(QrReader(), lambda: reads_codes(agent.session), desk.present)


def _make_crew(
    settings: Settings, agent: Agent, heartbeats: Heartbeats, desk: TokenDesk, releases: ReleaseDesk
) -> Crew:
    """The workers, not started. Each build makes its driver anew, so that a restart starts clean."""
    inbox = agent.inbox

    def report(kind: str, **fields: object) -> None:
        _log.log(logging.WARNING if kind in _UPLINK_WARNINGS else logging.INFO, kind, **fields)

    def beat(part: Part) -> Callable[[], None]:
        return lambda: heartbeats.beat(part.value)

    def vision() -> VisionWorker:
        return VisionWorker(
            make_camera(settings.camera, agent.leds),
            lambda: load_observer(settings.vision),
            settings.camera,
            offer=inbox.offer,
            report=inbox.post,
            beat=beat(Part.VISION),
            codes=make_code_watch(settings.tokens, agent, desk),
        )

    def printer() -> PrinterWorker:
        return PrinterWorker(make_printer(settings), inbox.post, beat(Part.PRINTER))

    def uplink() -> UplinkWorker:
        return UplinkWorker(
            settings.uplink,
            settings.terminal.id,
            settings.terminal.site,
            lambda: SqliteOutbox(settings.store.path),
            snapshot=agent.snapshot,
            post=inbox.post,
            report=report,
            beat=beat(Part.UPLINK),
            host=HostHealth(disk=settings.store.path.parent).read,
            needs_subscriber=settings.uplink.needs_subscriber,
            authority=make_authority_desk(settings, inbox.post, releases, report),
        )

    def reader() -> TokenReader:
        return TokenReader(settings.tokens, desk.present, inbox.post)

    def slot(part: Part, build: Callable[[], AnyWorker]) -> Slot[AnyWorker]:
        return Slot(part, build, heartbeats, RestartBudget(RESTARTS, RESTARTS_WITHIN_S), SILENCE_S[part])

    return Crew(
        vision=slot(Part.VISION, vision),
        printer=slot(Part.PRINTER, printer),
        uplink=slot(Part.UPLINK, uplink) if settings.uplink.enabled else None,
        token_reader=slot(Part.TOKEN_READER, reader) if settings.tokens.reader == "serial" else None,
    )
