"""What a measurement was made on, for the results of every bench."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def machine() -> dict[str, object]:
    """`cpu`, `cores` (that this process may use), `python`, `numpy`, `load`: the load average of the last minute."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "load": round(os.getloadavg()[0], 2),
    }


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """`median`, `p99`, `min`, `max` of at least one duration, in seconds, and `n`."""
    return {
        "median": round(float(np.median(seconds)), 3),
        "p99": round(float(np.percentile(seconds, 99)), 3),
        "min": round(min(seconds), 3),
        "max": round(max(seconds), 3),
        "n": len(seconds),
    }


def _cpu_name() -> str:
    """The processor as /proc says it: `model name` on PCs, `Model` on a Pi."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return str(found.get("Model") or found.get("model name") or platform.machine())
