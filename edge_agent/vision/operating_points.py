"""Measured error rates of an embedder, and the thresholds that follow from them (words: ISO/IEC 19795-1).

Rules: a threshold comes only from a measurement; an error rate rarer than was measured is refused, never extrapolated.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge_agent.ports import TerminalError

Rate = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Cosine = Annotated[float, Field(ge=-1, le=1)]
Count = Annotated[int, Field(ge=1)]


class OperatingPointError(TerminalError, ValueError):
    """An error rate was asked for that the measurement doesn't support."""


class Measured(BaseModel):
    """A part of a measurement: unknown keys are refused, values can't be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ImpostorPoint(Measured):
    """At this threshold this share of comparisons of different people matches; false_matches is how many that were."""

    fmr: Rate
    threshold: Cosine
    false_matches: Count


class VerificationPoint(Measured):
    """1:1 at the threshold for `fmr`: share of one person's comparisons that match, with its 95 % interval."""

    fmr: Rate
    tmr: Share
    fnmr: Share
    ci95: tuple[Share, Share] = Field(description="of tmr; the wider of Wilson and a bootstrap over subjects")
    n_mated: Count


class FailureToAcquire(Measured):
    """Photographs or attempts in which no face was found."""

    measured_on: Annotated[str, Field(min_length=1, max_length=200)]
    failures: Annotated[int, Field(ge=0)]
    attempts: Count
    ci95: tuple[Share, Share] = Field(description="of failures over attempts; Wilson")


class OperatingPoints(Measured):
    """One condition and what was measured under it.

    fused: different photographs averaged on each side (1: none).
    mirrored: whether each photograph's embedding is averaged with that of its mirror image.
    """

    fused: Annotated[int, Field(ge=1, le=32)]
    mirrored: bool
    measured_on: Annotated[str, Field(min_length=1, max_length=200)]
    n_subjects: Count
    n_impostor: Count
    impostor_curve: Annotated[tuple[ImpostorPoint, ...], Field(min_length=2)]
    verification: tuple[VerificationPoint, ...] = ()

    @model_validator(mode="after")
    def _curve_is_monotonic(self) -> OperatingPoints:
        for before, after in pairwise(self.impostor_curve):
            if after.fmr >= before.fmr or after.threshold < before.threshold:
                raise ValueError(
                    f"impostor_curve: {after.fmr:g} at {after.threshold:g} comes after {before.fmr:g} at "
                    f"{before.threshold:g}; order it by falling fmr and rising threshold"
                )
        return self


def interpolate_threshold(points: OperatingPoints, fmr: float, model: str) -> float:
    """Cosine threshold for `fmr`, linear in log10(fmr) between measured points; OperatingPointError outside them."""
    curve = points.impostor_curve
    _require_measured(points, fmr, model)
    for before, after in pairwise(curve):
        if fmr >= after.fmr or math.isclose(fmr, after.fmr):
            share = (math.log10(before.fmr) - math.log10(fmr)) / (math.log10(before.fmr) - math.log10(after.fmr))
            return before.threshold + min(max(share, 0.0), 1.0) * (after.threshold - before.threshold)
    return curve[-1].threshold


def fmr_for_fpir(points: OperatingPoints, fpir: float, gallery_size: int, model: str) -> float:
    """Rate one comparison may falsely match at, so that a search of the whole gallery errs at `fpir`.

    Raises OperatingPointError when that is rarer than was measured, and names the largest gallery that isn't.
    """
    if not 0 < fpir < 1 or gallery_size < 1:
        raise OperatingPointError(
            f"fpir {fpir:g} with a gallery of {gallery_size}: needs 0 < fpir < 1 and 1 or more people"
        )
    fmr = -math.expm1(math.log1p(-fpir) / gallery_size)
    rarest = points.impostor_curve[-1].fmr
    if fmr < rarest and not math.isclose(fmr, rarest):
        largest = math.floor(math.log1p(-fpir) / math.log1p(-rarest) * (1 + 1e-9))
        raise OperatingPointError(
            f"model '{model}', {_condition(points)}: fpir {fpir:g} in a gallery of {gallery_size:,} needs an fmr of "
            f"{fmr:.2g}, the rarest measured is {rarest:g}: at this fpir at most {largest:,} people; search a smaller "
            "gallery, use a token (1:1), or allow a higher matching.identification_fpir"
        )
    # A tiny gallery may err so often per comparison that it lies above the curve; its most lenient point then holds.
    return min(fmr, points.impostor_curve[0].fmr)


def _require_measured(points: OperatingPoints, fmr: float, model: str) -> None:
    most, rarest = points.impostor_curve[0].fmr, points.impostor_curve[-1].fmr
    if (fmr < rarest and not math.isclose(fmr, rarest)) or (fmr > most and not math.isclose(fmr, most)):
        raise OperatingPointError(
            f"model '{model}', {_condition(points)}: fmr {fmr:g} is outside what was measured: smallest {rarest:g}, "
            f"largest {most:g}, over {points.n_impostor:,} comparisons; ask for one inside"
        )


def _condition(points: OperatingPoints) -> str:
    return f"fused {points.fused}, mirrored {'on' if points.mirrored else 'off'}"
