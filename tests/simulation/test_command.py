"""The command: what it prints, keeps and returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.__main__ import main
from edge_agent.simulation import command
from edge_agent.simulation.books import Balance, BalanceLine


def test_a_day_is_played_kept_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "day"
    assert main(["simulate", "day", "--subjects", "40", "--seed", "2", "--out", str(out), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["ok"]
    assert summary["plan"]["subjects"] == 40
    assert summary["outcomes"]["GIVEN"] > 20
    assert summary["false_matches"]["found"] == 0
    assert 0 <= summary["exclusion"]["rate"] < 0.5
    assert json.loads((out / "summary.json").read_text()) == summary
    assert (out / "roster.bin").exists()
    assert (out / "day.png").read_bytes()[:4] == b"\x89PNG"
    place = out / "sukamaju-1"
    assert (place / "terminal.db").exists()
    slips = list((place / "slips").glob("*.txt"))
    assert len(slips) > 40
    assert any("TUTUP HARI" in slip.read_text() for slip in slips)
    assert list((out / "pictures").glob("*.png"))
    key = str(place / "signing.pub.pem")
    assert main(["ledger", "verify", "--file", str(place / "ledger.jsonl"), "--key", key]) == 0


def test_books_that_do_not_balance_end_with_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Balance((BalanceLine("all is well", "nothing", ("it is not",)),))
    monkeypatch.setattr(command, "balance", lambda _: wrong)
    assert main(["simulate", "day", "--subjects", "40"]) == 1
    assert "NO  all is well: nothing: it is not" in capsys.readouterr().out


@pytest.mark.parametrize("subjects", ["3", "99999"])
def test_too_few_or_too_many_people(subjects: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "day", "--subjects", subjects]) == 2
    assert f"--subjects: is {subjects}; give 40 to 5000" in capsys.readouterr().err


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    assert main(["simulate", "day", "--out", str(tmp_path)]) == 2
    assert "is not empty; name another folder" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "keep me"
