"""The officers' desk as state: who has shown a badge, what they asked for, and what is still missing.

Rules: immutable; all `_s` are monotonic seconds. `core/officers.py` moves it.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.core.messages import BadgeShown, CommandShown, SlipShown, TokenPresented
from edge_agent.core.officer_acts import ActReceipt, ActRequest, Command

Code = BadgeShown | CommandShown | SlipShown | TokenPresented
"""What an officer can hold up to the camera."""


@dataclass(frozen=True)
class Desk:
    """Empty officer_id: nobody is at the desk.

    command, case_number: asked for so far. act: being recorded; receipt: its slip is being printed. since_s: when the
    desk last moved. held, held_s: the code held up last, and when it was last seen. card, card_s: the command card held
    up last, and when it was last seen: other codes, as a badge on a ribbon, may be seen between two looks at it.
    """

    officer_id: str = ""
    command: Command | None = None
    case_number: str = ""
    act: ActRequest | None = None
    receipt: ActReceipt | None = None
    since_s: float = 0.0
    held: Code | None = None
    held_s: float = float("-inf")
    card: Command | None = None
    card_s: float = float("-inf")

    @property
    def busy(self) -> bool:
        """An act is being recorded or printed: codes wait."""
        return self.act is not None or self.receipt is not None

    def handed_to(self, officer_id: str) -> Desk:
        """Somebody else is at it, or nobody is (""); a code still in view is not one shown again."""
        return Desk(officer_id, held=self.held, held_s=self.held_s, card=self.card, card_s=self.card_s)


NOBODY = Desk()
