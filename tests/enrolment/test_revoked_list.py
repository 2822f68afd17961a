"""The list of withdrawn tokens: every line a serial, or nothing is withdrawn and the office is told where."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.enrolment.revoked_list import read_revoked
from edge_agent.ports import RosterError


def test_serials_remarks_and_empty_lines(tmp_path: Path) -> None:
    path = tmp_path / "revoked.txt"
    path.write_text("\ufeff# lost cards\n0123456789AB   # 3 March\n\n  ba9876543210\n", encoding="utf-8")
    assert read_revoked(path) == {"0123456789ab", "ba9876543210"}


@pytest.mark.parametrize("line", ["0123456789a", "0123456789abc", "kpm-0017", "0123456789ag"])
def test_a_line_that_is_no_serial(tmp_path: Path, line: str) -> None:
    path = tmp_path / "revoked.txt"
    path.write_text(f"0123456789ab\n{line}\n")
    with pytest.raises(RosterError, match=r"revoked\.txt:2: .*12 hex digits"):
        read_revoked(path)


def test_a_list_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(RosterError, match="correct the path"):
        read_revoked(tmp_path / "none.txt")
    (tmp_path / "odd.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RosterError, match="UTF-8"):
        read_revoked(tmp_path / "odd.txt")
