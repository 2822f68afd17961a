"""A share of a count, with its interval: what a rate from few people may claim."""

from __future__ import annotations

import math

_Z95 = 1.959964
"""The standard normal distribution's 97.5 % point: 95 % lie within."""


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """95 % score interval of a proportion (Wilson 1927); (0, 1) when nothing was counted."""
    if total == 0:
        return 0.0, 1.0
    share, spread = hits / total, _Z95 * _Z95 / total
    middle = (share + spread / 2) / (1 + spread)
    half = _Z95 * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
