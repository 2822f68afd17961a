"""A whole terminal in one process for tests: real agent, store, printer thread, simulated printer and LEDs; only the
camera and the models are replaced by a person who watches the LEDs and whose face is a known vector.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.agent import Agent, Crew, Identity
from edge_agent.clock import SystemClock
from edge_agent.core.messages import FaceObserved, PartFailed, PartRecovered, TokenPresented
from edge_agent.core.model import FaceObservation, Outcome, Part, QualityProblem, Signal
from edge_agent.core.rules import Limits, MatchRules, PadRules, Rules
from edge_agent.core.slip import SlipTerminal
from edge_agent.crew import Slot
from edge_agent.devices import printer_simulated
from edge_agent.devices.led_patterns import recognise
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.devices.printer_worker import PrinterWorker
from edge_agent.devices.token_reader import TokenReader
from edge_agent.disk_watch import DiskWatch
from edge_agent.gallery_hold import GalleryHold
from edge_agent.language.phrases import CataloguePhrases
from edge_agent.ports import EmbedderId, StoreError
from edge_agent.recorder import Recorder
from edge_agent.settings import PrinterSettings, TokenSettings
from edge_agent.settings_uplink import UplinkSettings
from edge_agent.slip_desk import SlipDesk
from edge_agent.store import Keys, SqliteOutbox, Store
from edge_agent.store.ledger import read_records
from edge_agent.uplink.worker import UplinkWorker
from edge_agent.watchdog import Heartbeats, RestartBudget, SystemdNotifier
from tests.core.heads import cues
from tests.store.terminal import SIGNING, TERMINAL, entitlement, open_store, roster, unit, write_roster

WITHIN_S = 60.0
CARDS = TokenSettings()
FAST = Limits(
    max_s=21.0,
    arrive_s=0.2,
    acquire_s=2.0,
    acquire_frames=2,
    identify_s=2.0,
    settle_s=0.5,
    absent_s=0.5,
    probe_frames=3,
)
BRISK = PadRules(turns=2, gap_min_s=0.1, gap_max_s=0.2)
MATCH = MatchRules(verification_threshold=0.9, identification_threshold=0.9, margin=0.05)
OUTCOME_SIGNALS = {Signal.GIVEN, Signal.REFERRED, Signal.NOT_ENTITLED, Signal.ABANDONED, Signal.TAKE_SLIP_FAILED}


class PersonInFront:
    """The vision worker's stand-in: frames of whoever stands there, 20 a second, turning as the LEDs ask."""

    def __init__(self, leds: SimulatedLeds, offer: Callable[[FaceObservation], None], beat: Callable[[], None]) -> None:
        self._leds, self._offer, self._beat = leds, offer, beat
        self.subject: int | None = None
        self.turns = True
        self._track, self._signal, self._since_s = 0, None, 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="person", daemon=True)

    def step_up(self, subject: int, turns: bool = True) -> None:
        """Subject n has the template `unit(n)`; turns: whether they follow the lights."""
        self._track += 1
        self.turns, self.subject = turns, subject

    def leave(self) -> None:
        self.subject = None

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def set_pace(self, awake: bool) -> None:
        """Always awake."""

    def _run(self) -> None:
        while not self._stopping.wait(0.05):
            self._beat()
            self._offer(self._look(time.monotonic()))

    def _look(self, now_s: float) -> FaceObservation:
        subject = self.subject
        if subject is None:
            return FaceObservation(now_s, None, (QualityProblem.NO_FACE,))
        signal = recognise(self._leds.history(), now_s)
        if signal is not None and signal is not self._signal:
            self._signal, self._since_s = signal, now_s
        way = {Signal.TURN_LEFT: 0.25, Signal.TURN_RIGHT: -0.25}.get(self._signal, 0.0) if self._signal else 0.0
        turned = way if self.turns and now_s - self._since_s > 0.25 else 0.0
        parallax = turned + 0.01 * math.sin(2 * math.pi * now_s)
        problems = (QualityProblem.TURNED,) if turned else ()
        probe = None if problems else unit(subject)
        return FaceObservation(now_s, self._track, problems, parallax, 80.0, 0.8, probe, cues(parallax, now_s))


@dataclass
class Box:
    """The running terminal and what a test may do to it."""

    agent: Agent
    store: Store
    leds: SimulatedLeds
    person: PersonInFront
    slips: Path
    path: Path
    faults: dict[str, bool] = field(default_factory=dict)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait until it is so, or fail naming it."""
        until_s = time.monotonic() + WITHIN_S
        while not condition():
            if time.monotonic() > until_s:
                raise AssertionError(f"waited {WITHIN_S:g} s in vain for {what}; signal {self.agent.session.signal}")
            time.sleep(0.02)

    def shows(self, signal: Signal) -> None:
        """Wait until the terminal shows this signal."""
        self.wait(lambda: self.agent.session.signal is signal, signal.value)

    def serve(self, subject: int, turns: bool = True, expect: Signal = Signal.GIVEN) -> None:
        """Somebody steps up, waits for their outcome and leaves."""
        self.shows(Signal.READY)
        self.person.step_up(subject, turns)
        self.wait(lambda: self.agent.session.signal in OUTCOME_SIGNALS, "an outcome")
        assert self.agent.session.signal is expect
        self.person.leave()

    def fail(self, part: Part) -> None:
        self.agent.inbox.post(PartFailed(part, f"{part.value} unplugged; plug it in"))

    def recover(self, part: Part) -> None:
        self.agent.inbox.post(PartRecovered(part))

    def token(self, subject: str) -> None:
        self.agent.inbox.post(TokenPresented(subject))

    def outcomes(self) -> list[tuple[str, str | None]]:
        """Outcome and reason of every recorded session, in order."""
        import json

        ended = [json.loads(body) for body in read_records(self.path)]
        kinds = {"aid.claim.recorded.v1", "aid.session.ended.v1"}
        return [(one["data"]["outcome"], one["data"].get("reason")) for one in ended if one["type"] in kinds]

    def slip_texts(self) -> dict[str, str]:
        """Slips by file name."""
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(self.slips.glob("*.txt"))}


class FaultyStore:
    """The real store, but for writes while its disk is said to be full."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.full = False

    def __getattr__(self, name: str) -> Any:
        if self.full and name in ("record_claim", "record_outcome", "mark_slip", "record_terminal_event"):
            raise StoreError(f"{self.store.path}: disk full; free space")
        return getattr(self.store, name)


class _Marked:
    """A part whose calls are checkpoints, before and after."""

    def __init__(self, part: Any, checkpoint: Callable[[str], None]) -> None:
        self._part, self._checkpoint = part, checkpoint

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if name not in ("print_slip", "delete"):
            return found

        def call(*arguments: Any) -> Any:
            self._checkpoint(f"{name}:begun")
            answer = found(*arguments)
            self._checkpoint(f"{name}:done")
            return answer

        return call


@contextmanager
def terminal_box(
    folder: Path,
    *,
    limits: Limits = FAST,
    pad: PadRules = BRISK,
    printer_script: Path | None = None,
    store_wrapper: Callable[[Store], Any] = lambda store: store,
    subjects: int = 3,
    uplink: UplinkSettings | None = None,
    tokens: TokenSettings = CARDS,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> Iterator[Box]:
    """A terminal with subjects s1..sN, each entitled to rice; runs in a thread until the block ends."""
    database = folder / "terminal.db"
    store = open_store(database, checkpoint=checkpoint)
    clock = SystemClock(lambda: True)
    today = clock.now().utc.date()
    rights = [entitlement(f"s{n}", valid_from=today, valid_until=today) for n in range(1, subjects + 1)]
    if store.roster_info().version == 0:
        content = roster(subjects=subjects, entitlements=rights, issued_at=clock.now().utc)
        store.import_roster(write_roster(folder / "roster.aid", content), clock.now())
    leds, heartbeats = SimulatedLeds(), Heartbeats()
    uplinks: list[Slot[UplinkWorker]] = []
    agent = Agent(
        gallery=GalleryHold(
            Rules(store.gallery(), MATCH, limits, pad, tokens.fall_back_to_identification), store.gallery
        ),
        recorder=Recorder(store_wrapper(store), clock.now, lambda: [one.worker.wake() for one in uplinks] and None),
        leds=leds,
        slips=SlipDesk(
            CataloguePhrases("id"),
            SlipTerminal(TERMINAL.id, TERMINAL.site, TERMINAL.place, "0800-1", TERMINAL.timezone),
            store,
        ),
        identity=Identity({"test-net": "ab"}, "cd", 1, 1, subjects),
        clock=clock,
        heartbeats=heartbeats,
        notifier=SystemdNotifier(None),
        disk=DiskWatch(),
    )
    printing = PrinterSettings(driver="simulated", folder=folder / "slips", script=printer_script)
    person = Slot(
        Part.VISION,
        lambda: PersonInFront(leds, agent.inbox.offer, lambda: heartbeats.beat("vision")),
        heartbeats,
        RestartBudget(3, 60),
        10.0,
    )
    printer = Slot(
        Part.PRINTER,
        lambda: PrinterWorker(
            _Marked(printer_simulated.open_printer(printing), checkpoint),
            agent.inbox.post,
            lambda: heartbeats.beat("printer"),
            poll_s=0.3,
        ),
        heartbeats,
        RestartBudget(3, 60),
        45.0,
    )
    if uplink is not None:
        link_settings = uplink
        uplinks.append(
            Slot(
                Part.UPLINK,
                lambda: UplinkWorker(
                    link_settings,
                    TERMINAL.id,
                    TERMINAL.site,
                    lambda: _Marked(SqliteOutbox(database), checkpoint),
                    snapshot=agent.snapshot,
                    post=agent.inbox.post,
                    report=lambda kind, **fields: None,
                    beat=lambda: heartbeats.beat("uplink"),
                ),
                heartbeats,
                RestartBudget(3, 60),
                20.0,
            )
        )
    reader = None
    if tokens.reader == "serial":
        reader = Slot(
            Part.TOKEN_READER,
            lambda: TokenReader(tokens, lambda _: None, agent.inbox.post),
            heartbeats,
            RestartBudget(3, 60),
            math.inf,
        )
    crew: Any = Crew(person, printer, uplinks[0] if uplinks else None, reader)  # type: ignore[arg-type]
    failures: list[BaseException] = []

    def run() -> None:
        try:
            agent.run(crew)
        except BaseException as error:
            failures.append(error)
            raise

    thread = threading.Thread(target=run, name="agent")
    # SQLite connections belong to the thread that made them; the store is handed over before anything runs.
    thread.start()
    try:
        yield Box(agent, store, leds, person.worker, folder / "slips", database)
    finally:
        agent.request_stop()
        thread.join(60)
        store.close()
    assert not failures, failures


__all__ = ["SIGNING", "Box", "EmbedderId", "FaceObserved", "FaultyStore", "Keys", "Outcome", "terminal_box"]
