"""`edge-agent verify-slip`: holds a slip against certificate, ledger and register, without a network."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edge_agent import key_files
from edge_agent.certificate_file import Certificate, read_certificate
from edge_agent.command_line import say
from edge_agent.proof import register
from edge_agent.proof.book import LedgerBook, open_book
from edge_agent.proof.code_source import text_of_camera, text_of_picture
from edge_agent.proof.errors import ProofError
from edge_agent.proof.verdict import EXIT_CODES, GENUINE, Verdict, judge
from edge_agent.proof.words import data_of, lines_of
from edge_agent.roster_schema import first_problem
from edge_agent.settings import CameraSettings
from edge_agent.slip_code import PREFIX, SlipProblem, parse_slip
from edge_agent.store.record_arguments import known_timezone
from edge_agent.wiring import make_camera

_CODES = ", ".join(f"{code} {verdict.value}" for verdict, code in EXIT_CODES.items())
DESCRIPTION = f"""Is this slip genuine? Checks its code offline against the terminal's certificate and, where given, its
ledger and the register of slips shown before. Exit status: {_CODES}; 2 nothing could be checked."""
_PREFIXES = (PREFIX, "aid:1:", "AH1:", "AT1:", "AO1:", "AC1:")


def add_command(subparsers: Any) -> None:
    """Add `verify-slip`."""
    parser = subparsers.add_parser("verify-slip", help="is this slip genuine? offline", description=DESCRIPTION)
    parser.add_argument("slip", nargs="?", metavar="TEXT|PICTURE", help="the code's text, a photograph, or - for stdin")
    parser.add_argument(
        "--camera", metavar="DRIVER:DEVICE", help="hold the slip up to it: v4l2:0, picamera2, file:CLIP"
    )
    parser.add_argument("--wait", type=float, default=30.0, metavar="S", help="for the camera, seconds (%(default)g)")
    parser.add_argument(
        "--certificate", type=Path, action="append", required=True, metavar="FILE", help="a terminal's; repeatable"
    )
    parser.add_argument("--office-key", type=Path, metavar="FILE", help="roster.pub.pem: checks the certificates")
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="a database, an export or the centre's copy")
    parser.add_argument("--register", type=Path, metavar="FILE", help="slips shown before; genuine ones are added")
    parser.add_argument("--timezone", default="Asia/Jakarta", metavar="NAME", help="for the time (%(default)s)")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.set_defaults(run=_verify_slip)


def _verify_slip(arguments: argparse.Namespace) -> int:
    zone = known_timezone(arguments.timezone)
    office = key_files.load_verifying_key(arguments.office_key) if arguments.office_key else None
    certificates = [read_certificate(path, office) for path in arguments.certificate]
    text = _text(arguments)
    finding = judge(text, certificates)
    if finding.believed and finding.code is not None and finding.certificate is not None:
        book = _book(arguments.ledger, finding.certificate)
        shown = register.shown_before(arguments.register, finding.code) if arguments.register else None
        finding = judge(text, certificates, book, shown, registered=arguments.register is not None)
        if arguments.register and finding.code is not None and finding.verdict in {*GENUINE, Verdict.SEEN_BEFORE}:
            register.add(arguments.register, finding.code, datetime.now(timezone.utc))
    if arguments.json:
        say(json.dumps(data_of(finding), indent=2, ensure_ascii=False))
    else:
        for line in lines_of(finding, zone):
            say(line)
    return EXIT_CODES[finding.verdict]


def _text(arguments: argparse.Namespace) -> str:
    if (arguments.slip is None) == (arguments.camera is None):
        raise ProofError("give the code's text, a picture, or --camera: exactly one of them")
    if arguments.camera is not None:
        return text_of_camera(make_camera(_camera(arguments.camera)), PREFIX, arguments.wait)
    slip: str = sys.stdin.readline().strip() if arguments.slip == "-" else arguments.slip
    if slip.startswith(_PREFIXES):
        return slip
    if Path(slip).is_file():
        return text_of_picture(Path(slip), PREFIX)
    if isinstance(parse_slip(slip.upper()), SlipProblem):
        raise ProofError(f"'{slip[:40]}': is neither a slip's code ({PREFIX}…) nor a picture; correct the path")
    return slip.upper()


def _camera(text: str) -> CameraSettings:
    """Large frames: a slip's code is finer than a card's."""
    driver, _, device = text.partition(":")
    settings: dict[str, Any] = {"driver": driver, "width_px": 1280, "height_px": 720}
    if device:
        settings |= {"path": device, "realtime": False} if driver == "file" else {"device": device}
    try:
        return CameraSettings.model_validate(settings)
    except ValidationError as error:
        raise ProofError(
            f"--camera {text}: {first_problem(error)}; write it as v4l2:0, picamera2 or file:CLIP"
        ) from error


def _book(path: Path | None, certificate: Certificate) -> LedgerBook | None:
    return open_book(path, certificate.terminal_id, certificate.key) if path is not None else None
