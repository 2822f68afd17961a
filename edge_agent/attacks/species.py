"""The species of presentation attack that can be rendered (ISO/IEC 30107-3: PAI species), each with what it is."""

from __future__ import annotations

from enum import Enum

from edge_agent.ports import TerminalError


class AttackError(TerminalError):
    """A clip can't be made; the text names the source and what to do."""


class Species(str, Enum):
    """A kind of instrument, named as on the command line and in reports."""

    PRINT = "print"
    BENT_PRINT = "bent-print"
    CUT_OUT = "cut-out"
    SCREEN_REPLAY = "screen-replay"
    STILL = "still"
    PARTIAL = "partial"

    @property
    def flat(self) -> bool:
        """Whether the whole face lies in one plane, so that no turn of it shows parallax."""
        return self in (Species.PRINT, Species.CUT_OUT, Species.STILL)

    @property
    def answers(self) -> bool:
        """Whether its holder can do something with it when a light asks for a turn."""
        return self is not Species.STILL


WHAT_IT_IS = {
    Species.PRINT: "a photograph on stiff paper, moved, tilted and turned in two hands",
    Species.BENT_PRINT: "the same on soft paper, bent round an upright cylinder of 0.9 to 2.5 eye distances",
    Species.CUT_OUT: "a photograph cut out along the face, with eye holes; living eyes blink and look about behind",
    Species.SCREEN_REPLAY: "a tablet that plays the video (of a photograph: its head turning and blinking), with "
    "gamma, pixel moiré, refresh bands, glare and bezel",
    Species.STILL: "one picture repeated without a change of one pixel, as fed in behind the camera",
    Species.PARTIAL: "a living head, the shipped astronaut's, with a print of the source's mouth and chin over its own",
}
