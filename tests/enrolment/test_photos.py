"""Photographs become one template, and each says why it was not used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_agent.core.model import QualityProblem
from edge_agent.enrolment.photos import WORDS, enrol
from tests.enrolment.office import BLACK, GREEN, PINK, RED, picture, tools


def test_the_template_is_the_mean_of_the_accepted_at_unit_length(tmp_path: Path) -> None:
    photos = [picture(tmp_path / "a.png", RED), picture(tmp_path / "b.png", PINK), picture(tmp_path / "c.png", BLACK)]
    enrolment = enrol("s1", photos, tools())
    red, pink = (np.array(c) / np.linalg.norm(c) for c in (RED, PINK))
    expected = (red + pink) / np.linalg.norm(red + pink)
    assert enrolment.template is not None
    np.testing.assert_allclose(enrolment.template, expected, atol=1e-6)
    assert enrolment.template.dtype == np.float32
    assert enrolment.photos == 2


def test_every_photograph_is_reported_in_its_order(tmp_path: Path) -> None:
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(b"\xff\xd8\xff\xe0 torn")
    photos = [torn, picture(tmp_path / "dark.png", BLACK), picture(tmp_path / "good.png", RED), tmp_path / "absent.png"]
    reports = enrol("s1", photos, tools()).reports
    assert [report.path for report in reports] == photos
    assert [report.accepted for report in reports] == [False, False, True, False]
    assert "whole photograph" in reports[0].reason
    assert reports[1].reason == f"{WORDS[QualityProblem.DARK]}; {WORDS[QualityProblem.BLURRED]}"
    assert str(reports[2]) == f"{photos[2]}: accepted"


def test_without_a_usable_photograph_there_is_no_template(tmp_path: Path) -> None:
    enrolment = enrol("s1", [picture(tmp_path / "a.png", BLACK)], tools())
    assert (enrolment.template, enrolment.photos) == (None, 0)


def test_the_same_photograph_counts_once(tmp_path: Path) -> None:
    photo = picture(tmp_path / "a.png", RED)
    assert enrol("s1", [photo, photo], tools()).photos == 1


def test_somebody_elses_photograph_is_noticed(tmp_path: Path) -> None:
    photos = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate([RED, PINK, GREEN])]
    enrolment = enrol("s1", photos, tools(), same_person_min=0.5)
    assert [report.accepted for report in enrolment.reports] == [True, True, False]
    assert "same person" in enrolment.reports[2].reason


def test_of_two_that_differ_neither_is_trusted(tmp_path: Path) -> None:
    photos = [picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate([RED, GREEN])]
    assert enrol("s1", photos, tools(), same_person_min=0.5).template is None


@pytest.mark.parametrize("problem", QualityProblem)
def test_every_problem_has_words(problem: QualityProblem) -> None:
    assert len(WORDS[problem]) > 10
