"""Freed frames go back to the system, in a process of its own because the setting can't be taken back."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from edge_agent.heap import give_back_large_blocks

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "set":
    assert give_back_large_blocks()
np.ones(4_000_000, np.uint8)  # freed: from now on glibc would take such blocks from the heap
before = resident()
frames = [np.ones((480, 640, 3), np.uint8) for _ in range(40)]
stays = bytearray(100)
last = np.ones(1000, np.uint8)
del frames[:-1]
print(resident() - before)
"""


def _kept(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_frames_are_given_back() -> None:
    assert _kept("set") < 3_000_000
    assert _kept("unset") > 20_000_000, "nothing to mend here any more: see whether the setting is still needed"
