"""What a terminal's process costs, read from /proc: CPU between two instants, and resident memory by what it is for.

Rules: Linux only, as the terminal is; a megabyte is 1,000,000 bytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from edge_agent.settings import SHIPPED_MANIFEST
from edge_agent.vision import manifest

_BARE = Path(__file__).with_name("bare_process.py")
_MB = 1e6
_LARGEST = 8


@dataclass(frozen=True)
class CpuMark:
    """CPU used by a process up to an instant: monotonic seconds, CPU seconds."""

    at_s: float
    used_s: float

    def percent_until(self, later: CpuMark) -> float:
        """Per cent of one core between the two."""
        return 100 * (later.used_s - self.used_s) / max(later.at_s - self.at_s, 1e-9)


def cpu_mark(pid: int) -> CpuMark:
    """All threads, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return CpuMark(time.monotonic(), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))


def memory(pid: int) -> dict[str, object]:
    """`rss_mb`, of it `anonymous_mb` (its own) and `file_mb` (shared with whoever maps the same files), `peak_mb`, and
    `largest_mb`: resident megabytes of the largest files mapped.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    kib = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.endswith(" kB")}
    by_file: Counter[str] = Counter()
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            name = Path(words[5]).name if len(words) > 5 and words[5].startswith("/") else ""
        elif words[0] == "Rss:" and name:
            by_file[name] += int(words[1])
    return {
        "rss_mb": _megabytes(kib["VmRSS"]),
        "anonymous_mb": _megabytes(kib["RssAnon"]),
        "file_mb": _megabytes(kib["RssFile"]),
        "peak_mb": _megabytes(kib["VmHWM"]),
        "largest_mb": {name: _megabytes(size) for name, size in by_file.most_common(_LARGEST)},
    }


def bare_memory() -> dict[str, float]:
    """Resident megabytes of a process with nothing but the libraries and both models, after each was loaded."""
    models, folder = manifest.load(SHIPPED_MANIFEST), SHIPPED_MANIFEST.parent
    files = [str(folder / one.file) for one in (models.active_landmarker, models.active_embedder)]
    done = subprocess.run([sys.executable, str(_BARE), *files], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {str(row["step"]): float(row["rss_mb"]) for row in rows}


def _megabytes(kib: int) -> float:
    return round(kib * 1024 / _MB, 1)
