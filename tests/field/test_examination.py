"""No check can spoil an examination: one that raises or hangs is a finding, and the next one runs."""

from __future__ import annotations

import io
import json
import threading

import pytest

from edge_agent.field import doctor
from edge_agent.field.examination import Check, Finding, State, examine, fail, ok, warn
from edge_agent.ports import CameraError


def raise_(error: Exception) -> Finding:
    raise error


def test_errors_of_parts_become_findings_with_their_remedy() -> None:
    check = Check("camera", lambda: raise_(CameraError("/dev/video0: no such device; plug it in")))
    (result,) = examine([check])
    assert result.finding == Finding(State.FAIL, "/dev/video0: no such device", "plug it in")


def test_an_error_nobody_expected_is_a_finding_too() -> None:
    (result,) = examine([Check("camera", lambda: raise_(KeyError("x")))])
    assert result.finding.state is State.FAIL
    assert "KeyError" in result.finding.seen
    assert "report it" in result.finding.remedy


def test_what_only_root_may_read_is_told_as_such() -> None:
    (result,) = examine(
        [Check("keys", lambda: raise_(PermissionError(13, "Permission denied", "/etc/keys/template.key")))]
    )
    assert result.finding == Finding(State.FAIL, "/etc/keys/template.key: permission denied", "examine with sudo")


def test_a_check_that_hangs_is_given_up_and_the_next_one_runs() -> None:
    release = threading.Event()

    def hangs() -> Finding:
        release.wait(30)
        return ok("late")

    hung, after = examine([Check("printer", hangs, timeout_s=0.05), Check("LEDs", lambda: ok("lit"))])
    release.set()
    assert hung.finding.state is State.FAIL
    assert "no answer within 0.05 s" in hung.finding.seen
    assert hung.finding.remedy
    assert after.finding == ok("lit")


RESULTS = [
    Check("camera", lambda: ok("640x480")),
    Check("clock", lambda: warn("not in step", "connect the network")),
    Check("printer", lambda: fail("no paper\nat all", "put a new roll in")),
]


@pytest.mark.parametrize(("checks", "code"), [(RESULTS, 1), (RESULTS[:2], 0), (RESULTS[:1], 0), ([], 0)])
def test_only_a_failure_fails_the_examination(checks: list[Check], code: int) -> None:
    assert doctor.report(examine(checks), False, io.StringIO()) == code


def test_the_report_names_each_part_what_was_seen_and_what_to_do() -> None:
    out = io.StringIO()
    doctor.report(examine(RESULTS), False, out)
    assert out.getvalue().splitlines() == [
        "ok    camera          640x480",
        "warn  clock           not in step",
        "                      -> connect the network",
        "fail  printer         no paper",
        "                      at all",
        "                      -> put a new roll in",
        "1 ok, 1 to mind, 1 failed",
    ]


def test_the_same_report_for_machines() -> None:
    out = io.StringIO()
    assert doctor.report(examine(RESULTS), True, out) == 1
    data = json.loads(out.getvalue())
    assert data["state"] == "fail"
    assert [(check["name"], check["state"]) for check in data["checks"]] == [
        ("camera", "ok"),
        ("clock", "warn"),
        ("printer", "fail"),
    ]
    assert data["checks"][2]["remedy"] == "put a new roll in"
