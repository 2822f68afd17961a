"""Pictures for docs/recipients.md: LED strips as SVG, from the simulated panel, and slips as PNG, from the simulated
printer. Used by scripts/make-recipients-page.

Rules: strips are the same wherever they are made; slips are too, as text, but their pictures need not be (typefaces).
Everything on the slips is invented.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

from edge_agent.core.model import Benefit, Claim, Entitlement, Outcome, Reason, Receipt, Signal
from edge_agent.core.slip import SlipTerminal, compose
from edge_agent.devices.led_patterns import PATTERNS, Lit
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.devices.printer_simulated import open_printer
from edge_agent.language.phrases import CataloguePhrases
from edge_agent.settings import PrinterSettings

TICK_S = 0.1

PLACES = {"left": (16, 20), "right": (80, 20), "green": (24, 48), "yellow": (48, 48), "red": (72, 48)}
COLOURS = {"left": "#ffffff", "right": "#ffffff", "green": "#3ddc6a", "yellow": "#ffd23d", "red": "#ff5a4d"}
FRAME_WIDTH, FRAME_HEIGHT, GAP = 96, 84, 8


def frames(signal: Signal) -> list[tuple[Lit, float]]:
    """One round of a signal as the simulated panel shows it: what is lit, and for how many seconds."""
    panel = SimulatedLeds()
    panel.show(signal, 0.0)
    ticks = round(PATTERNS[signal].cycle_s / TICK_S)
    shown: list[tuple[Lit, float]] = []
    for tick in range(ticks):
        panel.tick(tick * TICK_S)
        lit = panel.lit()
        if shown and shown[-1][0] == lit:
            shown[-1] = (lit, round(shown[-1][1] + TICK_S, 1))
        else:
            shown.append((lit, TICK_S))
    return shown


def strip(signal: Signal) -> str:
    """One round as SVG: a panel a step, its seconds below; a steady one has none. On: filled, with a ring around."""
    steps = frames(signal)
    width = len(steps) * (FRAME_WIDTH + GAP) - GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{FRAME_HEIGHT}" '
        f'viewBox="0 0 {width} {FRAME_HEIGHT}" font-family="sans-serif" font-size="12">'
    ]
    for number, (lit, seconds) in enumerate(steps):
        told = "" if len(steps) == 1 else f"{seconds:.1f} s"
        parts += _panel(number * (FRAME_WIDTH + GAP), lit, told)
    return "\n".join([*parts, "</svg>", ""])


def _panel(x: int, lit: Lit, told: str) -> list[str]:
    parts = [f'<g transform="translate({x} 0)">', '<rect width="96" height="68" rx="8" fill="#26282b"/>']
    parts += [
        '<circle cx="48" cy="20" r="9" fill="#0b0c0d" stroke="#77797c"/><circle cx="48" cy="20" r="3" fill="#555"/>'
    ]
    for name, (cx, cy) in PLACES.items():
        if name in lit:
            parts.append(
                f'<circle cx="{cx}" cy="{cy}" r="10" fill="none" stroke="{COLOURS[name]}" stroke-width="1.5"/>'
            )
            parts.append(f'<circle cx="{cx}" cy="{cy}" r="7" fill="{COLOURS[name]}"/>')
        else:
            parts.append(f'<circle cx="{cx}" cy="{cy}" r="6" fill="none" stroke="#77797c"/>')
    if told:
        parts.append(f'<text x="48" y="81" text-anchor="middle" fill="#77797c">{told}</text>')
    return [*parts, "</g>"]


TERMINAL = SlipTerminal("T-0012", "SITE-7", "Balai Desa Sukamaju", "Dinas Sosial, telepon 0800-000-000", "Asia/Jakarta")
AT = datetime(2026, 11, 24, 2, 5, tzinfo=timezone.utc)
RICE = Benefit("goods", Decimal(10), "kg", "beras")
GIVEN = Receipt(
    session_id="contoh",
    outcome=Outcome.GIVEN,
    reason=None,
    case_number="K7Q4-0012",
    recorded_at=AT,
    record_seq=12,
    record_hash="0123456789abcdef" * 4,
    claims=(
        Claim("c", "K7Q4-0012", "E-1", "S-1", "BPNT", "2026-11", RICE, AT, TERMINAL.id, TERMINAL.place, 1, Decimal(20)),
    ),
    roster_issued_at=datetime(2026, 11, 20, 2, 0, tzinfo=timezone.utc),
    open_from=date(2026, 12, 8),
)
EARLIER = replace(GIVEN.claims[0], claimed_at=AT - timedelta(days=3))
RIGHT = Entitlement("E-1", "S-1", "BPNT", "2026-11", RICE, date(2026, 11, 1), date(2026, 11, 30))


def _without_claim(reason: Reason) -> Receipt:
    told = replace(GIVEN, outcome=reason.outcome, reason=reason, case_number="K7Q4-0013", record_seq=13, claims=())
    return replace(told, open_from=None)


SLIPS = {
    "given": GIVEN,
    "referred": replace(_without_claim(Reason.NOT_LIVE), tries=2),
    "not_entitled": replace(_without_claim(Reason.ALREADY_CLAIMED), earlier=EARLIER, entitlement=RIGHT),
}


@dataclass(frozen=True)
class PrintedSlip:
    """text: as rows of the paper; png: its picture."""

    text: str
    png: bytes


def printed(kind: str, language: str) -> PrintedSlip:
    """A slip of this kind in this language, from the simulated printer."""
    with tempfile.TemporaryDirectory() as folder:
        settings = PrinterSettings(driver="simulated", folder=Path(folder))
        printer = open_printer(settings, sleep=lambda _seconds: None)
        printer.print_slip(compose(SLIPS[kind], TERMINAL, CataloguePhrases(language), code="CONTOH / EXAMPLE"))
        (picture,) = Path(folder).glob("*.png")
        return PrintedSlip(printer.last_text, picture.read_bytes())
