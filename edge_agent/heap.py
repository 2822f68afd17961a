"""How the C library's heap grows: a setting for processes that run for months.

Rules: called once at the start of a process; where the C library isn't glibc nothing happens.
"""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3  # glibc, malloc.h
LARGE_BYTES = 512 * 1024
"""Smaller than a frame (0.9 MB)."""


def give_back_large_blocks() -> bool:
    """Let blocks of LARGE_BYTES and more go back to the system as soon as they are freed; whether that was set.

    glibc raises this bound by itself each time a larger block is freed (mallopt(3), "dynamic mmap threshold"), up to
    32 MB; frames then come from the heap, which keeps the room of the most that ever were: 18 MB in a terminal.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(set_option(_M_MMAP_THRESHOLD, LARGE_BYTES))
