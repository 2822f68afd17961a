"""Slips on their way to the printer: worded, handed over, and made good later when one did not come out.

Rules: main thread only. Somebody who comes back while their own slip is still unprinted gets it now, marked as a copy,
after the slip of this visit. A slip that can't be worded never ends the service: it counts as not printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from edge_agent.core.act_slip import compose_act
from edge_agent.core.messages import Event, MarkSlip, SlipFailed, SlipPrinted
from edge_agent.core.model import Receipt
from edge_agent.core.officer_acts import ActReceipt
from edge_agent.core.slip import Phrases, Slip, SlipTerminal, compose
from edge_agent.ports import StoreError

_log = structlog.get_logger("slips")

PrintSlip = Callable[[str, Slip], None]
"""Hands a session's slip to the printer thread."""


class SlipStore(Protocol):
    """What the desk needs of `store.Store`; every method may raise StoreError."""

    def unprinted(self, to: str) -> Sequence[Receipt]:
        """The receipts whose slip is not known to have come out, of the person whose session `to` was."""

    def count_copy(self, session_id: str) -> int:
        """Number the next copy of this session's slip, from 1."""

    def slip_code(self, receipt: Receipt, copy: int) -> str:
        """The signed code of a receipt's slip, which is copy n (0: the original)."""


class SlipDesk:
    """Words slips and hands them over; what is owed, and which copy it is, the store knows."""

    def __init__(self, phrases: Phrases, terminal: SlipTerminal, store: SlipStore) -> None:
        self._phrases = phrases
        self._terminal = terminal
        self._store = store
        self._copies: set[str] = set()

    def print(self, receipt: Receipt, print_slip: PrintSlip) -> list[Event]:
        """Hand over this visit's slip, and the one still owed to the same person; the events that answer at once."""
        failed = self._hand_over(receipt, print_slip, copy=0)
        owed, copy = self._owed(receipt)
        if owed is not None and not self._hand_over(owed, print_slip, copy):
            _log.info("slip_made_good", case=owed.case_number, session=owed.session_id)
            self._copies.add(owed.session_id)
        return failed

    def print_act(self, receipt: ActReceipt, print_slip: PrintSlip) -> list[Event]:
        """Hand over the slip of an officer's act; the events that answer at once, with the act's id."""

        def word() -> Slip:
            code = self._store.slip_code(receipt.copy, receipt.copy_number) if receipt.copy is not None else ""
            return compose_act(receipt, self._terminal, self._phrases, code)

        return _hand_over(receipt.act_id, receipt.case_number, word, print_slip)

    def _hand_over(self, receipt: Receipt, print_slip: PrintSlip, copy: int) -> list[Event]:
        def word() -> Slip:
            return compose(receipt, self._terminal, self._phrases, copy, self._store.slip_code(receipt, copy))

        return _hand_over(receipt.session_id, receipt.case_number, word, print_slip)

    def copy_ended(self, event: Event) -> MarkSlip | None:
        """What to note when this event is the printer's word on a copy."""
        if not isinstance(event, (SlipPrinted, SlipFailed)) or event.session_id not in self._copies:
            return None
        self._copies.discard(event.session_id)
        return MarkSlip(event.session_id, isinstance(event, SlipPrinted), getattr(event, "problem", ""))

    def _owed(self, receipt: Receipt) -> tuple[Receipt | None, int]:
        """The unprinted receipt of the claim in this person's way, if there is one, and which copy it is.

        Their own: a claim that a proxy made is in the entitled person's way, and its slip is the proxy's.
        """
        if receipt.earlier is None:
            return None, 0
        number = receipt.earlier.claim_number
        try:
            waiting = self._store.unprinted(receipt.session_id)
            owed = next((one for one in waiting if number in {claim.claim_number for claim in one.claims}), None)
            return owed, 0 if owed is None else self._store.count_copy(owed.session_id)
        except StoreError as error:
            _log.error("unprinted_not_read", problem=str(error))
            return None, 0


def _hand_over(slip_of: str, case_number: str, word: Callable[[], Slip], print_slip: PrintSlip) -> list[Event]:
    """Word it and give it to the printer; a SlipFailed when it can't be worded. slip_of: the session's or act's id."""
    try:
        slip = word()
    except Exception as error:  # noqa: BLE001 - whatever a catalogue or a roster's odd amount brings about
        problem = f"the slip can't be worded: {_named(error)}; report this with the log"
        _log.error("slip_not_worded", case=case_number, session=slip_of, problem=problem)
        return [SlipFailed(slip_of, problem)]
    print_slip(slip_of, slip)
    return []


def _named(error: Exception) -> str:
    """Type and place, not the text: an unforeseen text could hold a name."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return type(error).__name__ + where
