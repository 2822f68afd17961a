"""`edge-agent ledger` and `keys certify` as an auditor and an office type them."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from edge_agent.certificate_file import read_certificate
from edge_agent.core.messages import RecordClaim
from edge_agent.core.officer_acts import Act, ActRequest
from edge_agent.core.policy import Officer, OfficerLimits, Policy, Proxy
from edge_agent.key_files import write_public_key
from edge_agent.ports import TerminalError
from edge_agent.store import Store, key_commands, ledger_commands
from edge_agent.store.record_export import GOODS_FIELDS, MONEY_FIELDS, OpensppDefaults, transactions
from edge_agent.store.record_files import records_of
from tests.store.ledger_day import DAY, ZONE, live_a_day
from tests.store.terminal import EVIDENCE, OFFICE, SIGNING, TERMINAL, Clock, open_store, referral, roster, write_roster

Run = Callable[..., tuple[int, str]]
PEOPLE = {"s1", "s2", "s3", "s4", "s5", "s6", "o1", "o2"}


@pytest.fixture
def lived(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with live_a_day(tmp_path, clock) as store:
        yield store


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    ledger_commands.add_commands(commands)
    key_commands.add_commands(commands)

    def command_line(*words: object) -> tuple[int, str]:
        arguments = parser.parse_args([str(word) for word in words])
        code: int = arguments.run(arguments)
        return code, capsys.readouterr().out

    return command_line


@pytest.fixture
def key(tmp_path: Path) -> Path:
    write_public_key(tmp_path / "signing.pub.pem", SIGNING.public_key())
    return tmp_path / "signing.pub.pem"


def test_a_chain_is_verified_from_database_export_and_the_centres_copy(
    lived: Store, run: Run, key: Path, tmp_path: Path
) -> None:
    export, centre = tmp_path / "export.jsonl", tmp_path / "centre.jsonl"
    assert run("ledger", "export", "--file", lived.path, "--out", export)[0] == 0
    bodies = export.read_bytes().splitlines()
    assert tuple(bodies) == records_of(lived.path).bodies, "as signed, byte by byte"
    other = [body.replace(b"terminal:kiosk-1", b"terminal:kiosk-2") for body in bodies]
    centre.write_bytes(b"\n".join([*reversed(bodies), *other, *bodies[2:5]]))
    for source, words in ((lived.path, ()), (export, ()), (centre, ("--terminal", "kiosk-1"))):
        code, text = run("ledger", "verify", "--file", source, "--key", key, *words)
        assert (code, f"{len(bodies)} record(s) hold" in text) == (0, True), text
    assert "3 record(s) stand there more than once" in text
    with pytest.raises(TerminalError, match="several terminals"):
        run("ledger", "verify", "--file", centre, "--key", key)
    with pytest.raises(TerminalError, match="only of: kiosk-1, kiosk-2"):
        run("ledger", "verify", "--file", centre, "--key", key, "--terminal", "kiosk-3")
    code, text = run("ledger", "verify", "--file", centre, "--key", key, "--terminal", "kiosk-2")
    assert (code, "BROKEN at record 1" in text) == (1, True), "the other terminal's records are not its own"


def test_the_first_broken_record_is_named_and_two_that_differ_are_both_kept(
    lived: Store, run: Run, key: Path, tmp_path: Path
) -> None:
    bodies = list(records_of(lived.path).bodies)
    forged = bodies[4].replace(b"desa-sukamaju", b"desa-sukamakmur")
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(b"\n".join([*bodies, forged]))
    code, text = run("ledger", "verify", "--file", copy, "--key", key)
    assert (code, "BROKEN at record 6" in text, "repeated" in text) == (1, True, True)
    copy.write_bytes(b"\n".join([*bodies[:4], forged, *bodies[5:]]))
    assert "BROKEN at record 5" in run("ledger", "verify", "--file", copy, "--key", key)[1]
    copy.write_bytes(b"\n".join([*bodies[:4], *bodies[5:]]))
    assert "BROKEN at record 5" in run("ledger", "verify", "--file", copy, "--key", key)[1]
    copy.write_text("nothing\n[]\n")
    with pytest.raises(TerminalError, match="holds no record"):
        run("ledger", "verify", "--file", copy, "--key", key)


def test_a_certificate_stands_for_the_key(lived: Store, run: Run, key: Path, tmp_path: Path) -> None:
    office, public, out = tmp_path / "roster.pem", tmp_path / "roster.pub.pem", tmp_path / "terminal.cert"
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    office.write_bytes(OFFICE.private_bytes(*pem))
    office.chmod(0o600)
    write_public_key(public, OFFICE.public_key())
    words = ("keys", "certify", key, "--terminal", "kiosk-1", "--site", "desa-sukamaju", "--sign", office)
    code, text = run(*words, "--valid-until", "2099-12-31", "--out", out)
    assert (code, "terminal kiosk-1, site desa-sukamaju" in text) == (0, True)
    assert read_certificate(out, OFFICE.public_key()).trusted
    assert run("ledger", "verify", "--file", lived.path, "--certificate", out, "--office-key", public)[0] == 0
    assert "not checked" in run("ledger", "verify", "--file", lived.path, "--certificate", out)[1]
    with pytest.raises(TerminalError, match="exists"):
        run(*words, "--valid-until", "2099-12-31", "--out", out)
    with pytest.raises(TerminalError, match="is no day"):
        run(*words, "--valid-until", "soon", "--out", tmp_path / "other.cert")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_openspps_transactions_have_its_field_names_and_voids_of_their_own(lived: Store, run: Run) -> None:
    rows = table(run("ledger", "export", "--file", lived.path, "--format", "openspp-csv", "--kind", "goods")[1])
    assert tuple(rows[0]) == GOODS_FIELDS
    assert [row["transaction_type"] for row in rows] == ["PURCHASE"] * 4 + ["VOID"]
    given, void = rows[3], rows[4]
    assert void["entitlement_id"] == given["entitlement_id"] == "s4.bpnt"
    assert void["transaction_uuid"] != given["transaction_uuid"]
    assert (void["receipt_number"], void["quantity"]) == (given["receipt_number"], "10")
    assert (given["quantity_remaining"], void["quantity_remaining"]) == ("0", "10")
    assert (given["product_id"], given["uom_id"], given["currency_id"]) == ("beras", "kg", "IDR")
    assert (given["service_point_id"], given["service_point_device_id"]) == ("desa-sukamaju", "kiosk-1")
    assert given["timestamp_transaction_created"].startswith("2026-03-10 05:0")
    again = table(run("ledger", "export", "--file", lived.path, "--format", "openspp-csv", "--kind", "goods")[1])
    assert again == rows, "the same at every export, so that importing twice changes nothing"
    assert len({row["transaction_uuid"] for row in rows}) == len(rows)


def test_money_has_the_fields_of_its_own_model() -> None:
    claim = {"claim_id": "c-1", "claim_number": "N", "entitlement_id": "e", "kind": "money"}
    data = {"site": "desa", "claims": [{**claim, "amount": "600000", "unit": "IDR"}]}
    event = {
        "id": "1",
        "source": "urn:aid:terminal:kiosk-1",
        "type": "aid.claim.recorded.v1",
        "time": "2026-03-10T05:00:00.000Z",
        "data": data,
    }
    ((goods, row),) = transactions([event], [event], OpensppDefaults(user="admin"))
    assert not goods
    assert tuple(sorted(row)) == tuple(sorted(MONEY_FIELDS))
    assert (row["currency_id"], row["value_remaining"]) == ("IDR", "0")
    assert row["amount_charged_by_service_point"] == "600000"
    assert row["user_id"] == "admin"


@pytest.mark.parametrize("form", ["csv", "openspp-csv", "openspp-jsonl"])
def test_exports_hold_no_person(lived: Store, clock: Clock, run: Run, form: str) -> None:
    text = run("ledger", "export", "--file", lived.path, "--format", form)[1]
    rows = table(text) if form != "openspp-jsonl" else [json.loads(line) for line in text.splitlines()]
    assert rows
    assert not {cell for row in rows for cell in row.values()} & PEOPLE
    assert all("subject" not in row and "card_number" not in row for row in rows)


def test_a_plain_export_tells_portions_and_officers_help(lived: Store, run: Run) -> None:
    rows = table(run("ledger", "export", "--file", lived.path, "--format", "csv")[1])
    claims = [row for row in rows if row["type"] == "aid.claim.recorded.v1"]
    assert [row["assisted"] for row in claims] == ["false", "false", "true", "false"]
    assert {(row["portion"], row["left"], row["proxy"]) for row in claims} == {("1", "0", "false")}
    assert [row["voided"] for row in rows if row["type"] == "aid.claim.voided.v1"] == ["true"]


def test_an_export_of_some_days(lived: Store, clock: Clock, run: Run, tmp_path: Path) -> None:
    clock.utc += timedelta(days=1)
    lived.record_outcome(referral("next"), clock())
    source = ("--file", lived.path, "--timezone", ZONE)
    text = run("ledger", "export", *source, "--from", "2026-03-11", "--until", "2026-03-11")[1]
    assert [json.loads(line)["data"]["session"] for line in text.splitlines()] == ["next"]
    assert run("ledger", "export", *source, "--until", "2026-03-09")[1] == ""
    with pytest.raises(TerminalError, match="--from"):
        run("ledger", "export", *source, "--from", "yesterday")
    with pytest.raises(TerminalError, match="no time zone"):
        run("ledger", "export", "--file", lived.path, "--timezone", "Mars", "--from", DAY)
    with pytest.raises(TerminalError, match="which local days"):
        run("ledger", "totals", "--file", lived.path, "--config", tmp_path / "none.yaml")


def test_totals_in_full_and_for_the_public(lived: Store, run: Run) -> None:
    source = ("--file", lived.path, "--timezone", ZONE, "--day", DAY)
    (full,) = json.loads(run("ledger", "totals", *source, "--json")[1])
    assert (full["given"], full["assisted"], full["voided"], full["served"]) == (4, 1, 1, 7)
    (public,) = json.loads(run("ledger", "totals", *source, "--public", "--json")[1])
    assert public["voided"] == "<5"
    assert public["exclusion_rate"] == {"at_most": round(4 / 7, 4), "count": "<5", "of": 7}
    text = run("ledger", "totals", *source)[1]
    assert "14.3% (1 of 7; 95 %: 2.6% to 51.3%)" in text
    assert "at most 57.1% (<5 of 7)" in run("ledger", "totals", *source, "--public")[1]


def test_exceptions_against_policy(lived: Store, run: Run) -> None:
    source = ("--file", lived.path, "--timezone", ZONE)
    code, text = run("ledger", "exceptions", *source)
    assert (code, "officer o1: assisted 1, reprints 1, voids 1, not_done 1 (veil 1)" in text) == (0, True)
    code, text = run("ledger", "exceptions", *source, "--voids", "0", "--json")
    assert code == 1
    assert [one["over_policy"] for one in json.loads(text)] == [["voids"], ["voids"]]


def test_an_officer_at_several_terminals_is_held_against_policy_for_all_of_them(
    lived: Store, clock: Clock, run: Run, tmp_path: Path
) -> None:
    """Each terminal counts for itself, so that a copied badge may be used up to the bound at each."""
    with open_store(tmp_path / "other.db", terminal=replace(TERMINAL, id="kiosk-9")) as other:
        told = other.record_outcome(referral("elsewhere"), clock()).receipt
        again = ActRequest("again", Act.REPRINT, "o1", case_number=told.case_number)
        other.record_act(again, clock())
        path = other.path
    copies = []
    for place, database in enumerate((lived.path, path)):
        copies.append(tmp_path / f"{place}.jsonl")
        run("ledger", "export", "--file", database, "--out", copies[-1])
    centre = tmp_path / "centre.jsonl"
    centre.write_bytes(b"".join(copy.read_bytes() for copy in copies))
    code, text = run("ledger", "exceptions", "--file", centre, "--timezone", ZONE, "--day", DAY, "--reprints", "1")
    over = [line for line in text.splitlines() if "OVER POLICY" in line]
    assert (code, len(over)) == (1, 1)
    assert "all terminals  officer o1: assisted 1, reprints 2" in over[0]


def test_the_policy_is_the_one_of_the_roster_in_force(lived: Store, clock: Clock, run: Run, tmp_path: Path) -> None:
    strict = Policy(officers=OfficerLimits(reprints_per_day=0))
    content = roster(2, 6, officers=(Officer("o1"), Officer("o2")), policy=strict)
    lived.import_roster(write_roster(tmp_path / "strict.aid", content), clock())
    code, text = run("ledger", "exceptions", "--file", lived.path, "--timezone", ZONE)
    assert (code, "OVER POLICY: reprints" in text) == (1, True)
    export = tmp_path / "export.jsonl"
    run("ledger", "export", "--file", lived.path, "--out", export)
    assert run("ledger", "exceptions", "--file", export, "--timezone", ZONE)[0] == 0


def test_a_proxys_claim_is_told_as_one_without_saying_whose(tmp_path: Path, clock: Clock, run: Run) -> None:
    with open_store(tmp_path / "proxy.db") as store:
        content = roster(1, 2, proxies=(Proxy("s1.bpnt", "2026-03", "s2"),))
        store.import_roster(write_roster(tmp_path / "roster.aid", content), clock())
        store.record_claim(RecordClaim("session-1", "s2", EVIDENCE), clock())
        rows = table(run("ledger", "export", "--file", store.path, "--format", "csv")[1])
        told = {row["entitlement_id"]: row["proxy"] for row in rows if row["entitlement_id"]}
        assert told == {"s1.bpnt": "true", "s2.bpnt": "false"}
