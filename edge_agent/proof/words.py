"""Verdicts and codes in words, Indonesian and English, so that somebody can hold the paper beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge_agent.core.model import Benefit, Outcome
from edge_agent.core.slip import benefit_text
from edge_agent.language.phrases import CataloguePhrases, PhraseError
from edge_agent.proof.verdict import EXIT_CODES, Finding, Verdict
from edge_agent.slip_code import SlipCode
from edge_agent.store.records import amount_text

LANGUAGES = ("id", "en")
_VERDICTS = {
    Verdict.ORIGINAL: ("ASLI", "GENUINE, the original"),
    Verdict.COPY: ("ASLI, SALINAN KE-{copy}", "GENUINE, copy {copy}"),
    Verdict.ALTERED: ("TIDAK SAH: diubah atau dipalsukan", "NOT GENUINE: altered or forged"),
    Verdict.FOREIGN: ("TIDAK DIKENAL: bukan dari terminal yang bersertifikat", "FOREIGN: not by a certified terminal"),
    Verdict.VOIDED: ("DIBATALKAN oleh petugas", "VOIDED by officers"),
    Verdict.DIFFERS: ("TIDAK COCOK dengan buku catatan", "NOT WHAT THE LEDGER SAYS"),
    Verdict.CUT_OFF: ("CATATAN TERPOTONG: buku belum sampai struk ini", "LEDGER CUT OFF before this slip"),
    Verdict.LEDGER_BROKEN: (
        "BUKU CATATAN RUSAK, struk tidak dapat diperiksa",
        "LEDGER BROKEN, slip can't be held to it",
    ),
    Verdict.SEEN_BEFORE: (
        "SUDAH PERNAH DITUNJUKKAN: mungkin fotokopi",
        "SHOWN BEFORE: this may be a photocopy of a genuine slip",
    ),
}
_COMPARE = ("Cocokkan dengan kertasnya:", "Compare with the paper:")
_NOT_PROVEN = ("Yang tertulis dalam kode TIDAK terbukti:", "What the code says is NOT proven:")
_LABELS = {
    "outcome": ("Hasil", "Outcome"),
    "benefit": ("Diterima", "Received"),
    "more": ("Dan lainnya", "And more"),
    "case": ("Nomor", "Number"),
    "when": ("Waktu", "When"),
    "terminal": ("Terminal", "Terminal"),
    "flags": ("Cara", "How"),
    "record": ("Catatan", "Record"),
}
_ASSISTED = ("dibantu petugas", "with an officer's help")
_PROXY = ("diwakilkan", "fetched by a proxy")
_VOID = ("struk pembatalan", "a slip that says it is void")


def lines_of(finding: Finding, timezone: str) -> Iterator[str]:
    """Everything to print, Indonesian first."""
    copy = str(finding.code.copy) if finding.code else ""
    for place, language in enumerate(LANGUAGES):
        yield f"[{language}] {_VERDICTS[finding.verdict][place].format(copy=copy)}"
    yield f"     {finding.why}"
    if finding.code is not None:
        for place, language in enumerate(LANGUAGES):
            yield ""
            yield (_COMPARE if finding.believed else _NOT_PROVEN)[place]
            yield from _code_lines(finding.code, CataloguePhrases(language), place, timezone)
    for note in finding.notes:
        yield f"note: {note}"


def data_of(finding: Finding) -> dict[str, Any]:
    """For machines."""
    code = finding.code
    return {
        "verdict": finding.verdict.value,
        "exit_code": EXIT_CODES[finding.verdict],
        "why": finding.why,
        "proven": finding.believed,
        "notes": list(finding.notes),
        "slip": None if code is None else _slip_data(code),
    }


def _slip_data(code: SlipCode) -> dict[str, Any]:
    return {
        "terminal": code.terminal_id,
        "site": code.site,
        "sequence": code.sequence,
        "case_number": code.case_number,
        "outcome": code.outcome.value,
        "reason": code.reason or None,
        "recorded_at": code.recorded_at.isoformat(),
        "benefits": [
            {
                "programme": one.programme,
                "kind": one.kind,
                "amount": amount_text(one.amount),
                "unit": one.unit,
                "item": one.item,
            }
            for one in code.benefits
        ],
        "more_benefits": code.more,
        "assisted": code.assisted,
        "proxy": code.proxy,
        "void": code.voided,
        "copy": code.copy,
        "record_hash": code.record_hash,
        "key_id": code.key_id,
    }


def _code_lines(code: SlipCode, phrases: CataloguePhrases, place: int, timezone: str) -> Iterator[str]:
    def line(label: str, text: str) -> str:
        return f"  {_LABELS[label][place]:<12}{text}"

    if code.copy:
        yield f"  {phrases.text('copy.title', number=str(code.copy))}"
    yield line("outcome", phrases.text(f"{code.outcome.value.lower()}.title"))
    if code.outcome is not Outcome.GIVEN:
        yield line("outcome", _reason(code.reason, phrases))
    for one in code.benefits:
        benefit = Benefit(one.kind, one.amount, one.unit, one.item)
        yield line("benefit", f"{benefit_text(benefit, phrases)} ({one.programme})")
    if code.more:
        yield line("more", f"+{code.more}")
    flags = [words[place] for words, is_so in zip((_ASSISTED, _PROXY, _VOID), _flags(code), strict=True) if is_so]
    if flags:
        yield line("flags", ", ".join(flags))
    yield line("case", code.case_number)
    yield line("when", phrases.date_time(code.recorded_at, timezone))
    yield line("terminal", f"{code.terminal_id} ({code.site})")
    yield line("record", f"{code.sequence} · {code.record_hash[:16]}")


def _flags(code: SlipCode) -> tuple[bool, bool, bool]:
    return code.assisted, code.proxy, code.voided


def _reason(reason: str, phrases: CataloguePhrases) -> str:
    """In the catalogue's words; a newer terminal may know reasons that this one doesn't."""
    try:
        return phrases.text(f"reason.{reason}")
    except PhraseError:
        return reason
