"""What of a day is kept in a folder: databases, roster and keys to check them by, slips, exports, picture and summary.

Rules: private keys are not kept. Slips carry names, as real ones do here: the people are made up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge_agent.core.slip import Line, Slip, Style
from edge_agent.devices.printer_simulated import open_printer
from edge_agent.key_files import write_public_key
from edge_agent.settings import PrinterSettings
from edge_agent.simulation.books import BookData
from edge_agent.simulation.day import Played
from edge_agent.simulation.plots import draw_day
from edge_agent.simulation.terminal import SimulatedTerminal

PICTURES_MAX = 12
"""Slips that are kept as pictures, one of each kind; all are kept as text."""


def keep_day(folder: Path, played: Played, data: BookData, summary: dict[str, Any], text: str) -> None:
    """Write everything but the databases and the roster, which are in `folder` already. Raises OSError."""
    for terminal, ledger in zip(played.site.terminals, data.ledgers, strict=True):
        place = folder / terminal.id
        (place / "ledger.jsonl").write_bytes(b"".join(body + b"\n" for body in ledger.bodies))
        write_public_key(place / "signing.pub.pem", terminal.parts.keys.signing.public_key())
        _keep_texts(place / "slips", terminal)
    _keep_pictures(folder / "pictures", played.site.terminals)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    (folder / "summary.txt").write_text(text, encoding="utf-8")
    draw_day(folder / "day.png", played)


def _keep_texts(folder: Path, terminal: SimulatedTerminal) -> None:
    folder.mkdir(exist_ok=True)
    for number, finished in enumerate(terminal.printer.out, 1):
        name = f"{number:04d}-{finished.slip.slip_id}.txt"
        (folder / name).write_text(finished.text, encoding="utf-8")


def _keep_pictures(folder: Path, terminals: list[SimulatedTerminal]) -> None:
    """The first slip of each kind, printed once more by a printer that keeps pictures."""
    kinds: dict[str, Slip] = {}
    for terminal in terminals:
        for finished in terminal.printer.out:
            kinds.setdefault(_kind(finished.slip), finished.slip)
    now_s = [0.0]

    def pass_time(for_s: float) -> None:
        now_s[0] += for_s

    printer = open_printer(PrinterSettings(driver="simulated", folder=folder), lambda: now_s[0], pass_time)
    for slip in list(kinds.values())[:PICTURES_MAX]:
        printer.print_slip(slip)


def _kind(slip: Slip) -> str:
    """Its titles and the first thing it says after the name."""
    lines = [part for part in slip.parts if isinstance(part, Line)]
    titles = [line.text for line in lines if line.style is Style.TITLE]
    said = [line.text for line in lines if line.style in (Style.PLAIN, Style.STRONG) and not line.centred]
    return "|".join((*titles, *[text for text in said if text][1:2]))
