"""The register of officers' acts: all of them, in order, without anybody's name."""

from __future__ import annotations

import argparse
import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.core.officer_acts import Act, ActRequest, Assistance, AssistReason
from edge_agent.ports import StoreError
from edge_agent.store.exception_register import add_command, entries_of
from tests.store.terminal import Clock, claim_of
from tests.store.test_acts import act, give, make_store, void


def test_every_act_is_in_it_done_or_not_and_assisted_claims_too(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with make_store(tmp_path, clock) as store:
        first = give(store, clock)
        helped = replace(claim_of("s2", "session-2"), evidence=None, assistance=Assistance("o1", AssistReason.VEIL))
        assert store.record_claim(helped, clock()).receipt.claims  # type: ignore[union-attr]
        act(store, clock, void(first.case_number, second="o1", act_id="a1"))
        act(store, clock, void(first.case_number, act_id="a2"))
        clock(days=1)
        act(store, clock, ActRequest("a3", Act.DAY_END, "o2"))
        entries = list(entries_of(store.path))
        assert [(entry.act, entry.officer, entry.second_officer, entry.reason, entry.problem) for entry in entries] == [
            ("assist", "o1", "", "veil", ""),
            ("void", "o1", "o1", "", "same_officer"),
            ("void", "o1", "o2", "", ""),
            ("day_end", "o2", "", "", ""),
        ]
        assert entries[1].case_number == first.case_number
        assert [entry.act for entry in entries_of(store.path, "2026-03-11")] == ["day_end"]
        parser = argparse.ArgumentParser()
        add_command(parser.add_subparsers())
        arguments = parser.parse_args(["register", "--file", str(store.path), "--day", "2026-03-10"])
        assert arguments.run(arguments) == 0
        told = capsys.readouterr().out
        assert [row["act"] for row in csv.DictReader(io.StringIO(told))] == ["assist", "void", "void"]
        assert "Ibu" not in told
        assert "s1" not in told


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        list(entries_of(tmp_path / "nowhere.db"))
