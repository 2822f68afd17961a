"""`edge-agent bench vision|match|session`: the options; a bench's own module is loaded only when it is asked for."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from importlib import import_module
from typing import Any

_BENCHES = {
    "vision": (
        "frames",
        "milliseconds per frame by stage, beside the bare models",
        "One frame from camera to probe, by stage, beside the bare models, beside a plain MediaPipe and LiteRT loop\n"
        "and, where it is installed, beside face_recognition (dlib), all on the same frames in turns; and the CPU\n"
        "that looking at an empty scene takes.\n\n"
        "  edge-agent bench vision\n"
        "  edge-agent bench vision --footage clip.mp4 --peer-python ~/dlib/bin/python --json",
    ),
    "match": (
        "match",
        "milliseconds to find one probe among up to a million templates",
        "One probe against galleries of random templates by the terminal's own rule, beside faiss and usearch, where\n"
        "they are installed (pip install -e '.[bench]'), on the same probes in turns; and the gallery's memory.\n\n"
        "  edge-agent bench match\n"
        "  edge-agent bench match --sizes 500 5000 --json",
    ),
    "session": (
        "session",
        "seconds from the first good frame to the decision, cold start, memory, CPU",
        "The whole terminal on simulated devices in real time: puppets step up, take 0.35 to 0.9 s to answer each\n"
        "light, and are identified among 500. Then fresh processes: exec to READY, resident memory, CPU idle and with\n"
        "somebody there. About four minutes; keep the machine otherwise idle.\n\n"
        "  edge-agent bench session\n"
        "  edge-agent bench session --visits 20 --turns 2 --json",
    ),
}


def add_commands(subparsers: Any) -> None:
    """Register `bench`."""
    measures = subparsers.add_parser("bench", help="measure speed on this machine")
    what = measures.add_subparsers(dest="bench_command", required=True, metavar="WHAT")
    for name, (module, words, description) in _BENCHES.items():
        parser = what.add_parser(name, help=words, description=description, formatter_class=RawDescriptionHelpFormatter)
        bench = import_module(f"edge_agent.bench.{module}")
        bench.add_arguments(parser)
        parser.set_defaults(run=bench.execute)
