"""Enrolment files: readable by the office only, and never mistaken for another person's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_agent.enrolment.enrolment_file import read_enrolment, write_enrolment
from edge_agent.enrolment.photos import Enrolment
from edge_agent.ports import RosterError
from tests.enrolment.office import EMBEDDER

OFFICE_KEY = b"office secret of the tests, 32 b"
TEMPLATE = np.asarray(np.arange(1, 9) / np.linalg.norm(np.arange(1, 9)), np.float32)
ENROLMENT = Enrolment("s1", EMBEDDER, TEMPLATE, 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_enrolment(tmp_path / "enrolments", ENROLMENT, OFFICE_KEY)


def test_it_comes_back(path: Path) -> None:
    back = read_enrolment(path, OFFICE_KEY)
    assert (path.name, back.subject_id, back.embedder, back.photos) == ("s1.enrolment", "s1", EMBEDDER, 3)
    np.testing.assert_array_equal(back.template, TEMPLATE)


def test_the_template_is_encrypted(path: Path) -> None:
    assert TEMPLATE.tobytes()[:8] not in path.read_bytes()


def test_enrolling_again_replaces_the_file(path: Path) -> None:
    write_enrolment(path.parent, Enrolment("s1", EMBEDDER, TEMPLATE, 5), OFFICE_KEY)
    assert read_enrolment(path, OFFICE_KEY).photos == 5
    assert [p.name for p in path.parent.iterdir()] == ["s1.enrolment"]


def test_what_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(RosterError, match="another office key"):
        read_enrolment(path, b"x" * 32)
    moved = path.with_name("s2.enrolment")
    moved.write_bytes(path.read_bytes())
    with pytest.raises(RosterError, match="is of subject s1"):
        read_enrolment(moved, OFFICE_KEY)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RosterError, match="damaged"):
        read_enrolment(path, OFFICE_KEY)
    path.write_bytes(moved.read_bytes().replace(b'"s1"', b'"s2"'))
    with pytest.raises(RosterError, match="damaged"):
        read_enrolment(path, OFFICE_KEY)
    path.write_bytes(b"hello")
    with pytest.raises(RosterError, match="not an enrolment file"):
        read_enrolment(path, OFFICE_KEY)
    with pytest.raises(RosterError, match="absent"):
        read_enrolment(tmp_path / "absent.enrolment", OFFICE_KEY)


def test_a_national_number_is_no_subject() -> None:
    with pytest.raises(RosterError, match="opaque id"):
        write_enrolment(Path("nowhere"), Enrolment("3201234567890001", EMBEDDER, TEMPLATE, 1), OFFICE_KEY)
