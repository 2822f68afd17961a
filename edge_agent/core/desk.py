"""The officers' desk as state: who has shown a badge, what they asked for, and what is still missing.

Rules: immutable; all `_s` are monotonic seconds. `core/officers.py` moves it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_agent.core.messages import BadgeShown, CommandShown, SlipShown, TokenPresented
from edge_agent.core.officer_acts import ActReceipt, ActRequest, Command

SEEN_AGAIN_S = 2.0
"""A badge or command card seen again within this was in view all the time; the desk is told of each every second."""

Code = BadgeShown | CommandShown | SlipShown | TokenPresented
"""What an officer can hold up to the camera."""


@dataclass(frozen=True)
class Desk:
    """Empty officer_id: nobody is at the desk.

    command, case_number: asked for so far. act: being recorded; receipt: its slip is being printed. since_s: when the
    desk last moved. held, held_s: the code held up last, and when it was last seen. lately: badges and command cards
    seen in the last seconds, and when: several may be in view at once, and are told of by turns.
    """

    officer_id: str = ""
    command: Command | None = None
    case_number: str = ""
    act: ActRequest | None = None
    receipt: ActReceipt | None = None
    since_s: float = 0.0
    held: Code | None = None
    held_s: float = float("-inf")
    lately: tuple[tuple[BadgeShown | CommandShown, float], ...] = ()

    @property
    def busy(self) -> bool:
        """An act is being recorded or printed: codes wait."""
        return self.act is not None or self.receipt is not None

    def in_view(self, code: BadgeShown | CommandShown, now_s: float) -> bool:
        """Whether it is still the one seen a moment ago, rather than shown again."""
        return any(seen == code and now_s - seen_s <= SEEN_AGAIN_S for seen, seen_s in self.lately)

    def seeing(self, code: BadgeShown | CommandShown, now_s: float) -> Desk:
        """The same, having seen this code."""
        others = ((seen, at) for seen, at in self.lately if seen != code and now_s - at <= SEEN_AGAIN_S)
        return replace(self, lately=(*others, (code, now_s)))

    def handed_to(self, officer_id: str) -> Desk:
        """Somebody else is at it, or nobody is (""); what is still in view was not shown again."""
        return Desk(officer_id, held=self.held, held_s=self.held_s, lately=self.lately)


NOBODY = Desk()
