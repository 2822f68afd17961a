"""The recorder: nothing that had to be written is lost while the store is down, and the person is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from edge_agent import logs
from edge_agent.core.messages import (
    ClaimRecorded,
    MarkSlip,
    OutcomeRecorded,
    PartFailed,
    PartRecovered,
    RecordClaim,
    RecordFailed,
    RecordOutcome,
)
from edge_agent.core.model import Evidence, MatchKind, Outcome, PadVerdict, Part, Reason, Timestamp
from edge_agent.ports import StoreError
from edge_agent.recorder import RETRY_S, WAITING_MAX, Recorder
from edge_agent.settings import LogSettings
from tests.core.people import claim_recorded, outcome_recorded

EVIDENCE = Evidence(MatchKind.IDENTIFICATION, 0.97, 0.95, 0.9, 0.01, 500, 6, PadVerdict.LIVE, 1)
CLAIM = RecordClaim("s1", "subject-1", EVIDENCE)
LEFT = RecordOutcome("s2", Outcome.ABANDONED, Reason.WALKED_AWAY, MatchKind.IDENTIFICATION, PadVerdict.NOT_ASKED, 0)


class Disk:
    """A store on a disk that can be full; keeps what was committed, with its time."""

    def __init__(self) -> None:
        self.full = False
        self.words = "terminal.db: disk full; free space"
        self.written: list[tuple[str, Any, Timestamp]] = []

    def _write(self, kind: str, what: Any, at: Timestamp) -> None:
        if self.full:
            raise StoreError(self.words)
        self.written.append((kind, what, at))

    def record_claim(self, request: RecordClaim, at: Timestamp) -> ClaimRecorded:
        self._write("claim", request, at)
        return claim_recorded(request.session_id)

    def record_outcome(self, request: RecordOutcome, at: Timestamp) -> OutcomeRecorded:
        self._write("outcome", request, at)
        return outcome_recorded(request.session_id, request.reason)

    def mark_slip(self, mark: MarkSlip, at: Timestamp) -> None:
        self._write("mark", mark, at)

    def record_terminal_event(self, kind: str, data: Mapping[str, Any], at: Timestamp) -> None:
        self._write(kind, dict(data), at)


class Clock:
    """A wall clock that moves one second a look."""

    def __init__(self) -> None:
        self.utc = datetime(2026, 3, 1, tzinfo=timezone.utc)

    def __call__(self) -> Timestamp:
        self.utc += timedelta(seconds=1)
        return Timestamp(self.utc, True, 0, "boot")


def test_a_commit_answers_and_wakes_the_uplink() -> None:
    disk, woken = Disk(), []
    recorder = Recorder(disk, Clock(), wake=lambda: woken.append(1))
    assert [type(event) for event in recorder.record(CLAIM, 0.0)] == [ClaimRecorded]
    assert recorder.mark_slip(MarkSlip("s1", True), 0.0) == []
    assert len(woken) == 2


def test_a_full_disk_refers_the_person_and_keeps_what_was_to_be_written() -> None:
    disk = Disk()
    recorder = Recorder(disk, Clock())
    disk.full = True
    failed = recorder.record(CLAIM, 0.0)
    assert [type(event) for event in failed] == [RecordFailed, PartFailed]
    assert isinstance(failed[1], PartFailed)
    assert failed[1].part is Part.STORE
    assert recorder.record(LEFT, 1.0) == [RecordFailed("s2", "terminal.db: disk full; free space")]
    assert recorder.note("part.failed", {"part": "camera"}, 2.0) == []
    assert recorder.waiting == 4
    assert recorder.retry(RETRY_S + 0.1) == []

    disk.full = False
    assert recorder.retry(RETRY_S + 0.2) == []  # asked again too soon
    assert recorder.retry(2 * RETRY_S + 0.2) == [PartRecovered(Part.STORE)]
    kinds = [kind for kind, _, _ in disk.written]
    assert kinds == ["outcome", "part.failed", "outcome", "part.failed", "part.recovered"]
    first, second = disk.written[0][1], disk.written[2][1]
    assert disk.written[1][1] == {"part": "store", "problem": "terminal.db: disk full; free space"}
    # The claim was not given: what is recorded later is what the person was told.
    assert (first.session_id, first.outcome, first.reason) == ("s1", Outcome.REFERRED, Reason.TERMINAL_FAULT)
    assert (second.session_id, second.reason) == ("s2", Reason.WALKED_AWAY)
    times = [at.utc for _, _, at in disk.written]
    assert times == sorted(times)
    assert recorder.waiting == 0
    assert recorder.retry(100.0) == []


def test_a_write_that_fails_again_keeps_its_place() -> None:
    disk = Disk()
    recorder = Recorder(disk, Clock())
    disk.full = True
    recorder.note("one", {}, 0.0)
    recorder.note("two", {}, 0.0)
    for attempt in range(1, 4):
        assert recorder.retry(attempt * (RETRY_S + 0.1)) == []
    disk.full = False
    recorder.retry(100.0)
    assert [kind for kind, _, _ in disk.written] == ["one", "part.failed", "two", "part.recovered"]


def test_another_reason_for_failing_is_told_too() -> None:
    disk = Disk()
    recorder = Recorder(disk, Clock())
    disk.full = True
    recorder.note("one", {}, 0.0)
    disk.words = "terminal.db: malformed; restore the backup"
    assert recorder.retry(RETRY_S + 0.1) == [PartFailed(Part.STORE, disk.words)]
    assert recorder.retry(3 * RETRY_S) == []


def test_at_the_end_what_waits_is_tried_once_more_and_a_loss_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LogSettings(format="json"))
    disk = Disk()
    recorder = Recorder(disk, Clock())
    disk.full = True
    recorder.note("one", {}, 0.0)
    recorder.finish(0.1)
    assert '"records_lost"' in capsys.readouterr().err
    disk.full = False
    recorder.finish(0.2)
    assert [kind for kind, _, _ in disk.written] == ["one", "part.failed", "part.recovered"]
    assert capsys.readouterr().err == ""


def test_waiting_writes_are_bounded() -> None:
    disk = Disk()
    recorder = Recorder(disk, Clock())
    disk.full = True
    for _ in range(WAITING_MAX + 10):
        recorder.note("one", {}, 0.0)
    assert recorder.waiting == WAITING_MAX
