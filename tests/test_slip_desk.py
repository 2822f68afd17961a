"""The slip desk: a slip that can't be worded is a slip that failed, and never more than that."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from edge_agent.core.messages import MarkSlip, SlipFailed, SlipPrinted
from edge_agent.core.model import Benefit, Claim, Outcome, Reason, Receipt
from edge_agent.core.officer_acts import Act, ActProblem, ActReceipt
from edge_agent.core.slip import QrCode, Slip, SlipTerminal
from edge_agent.language.phrases import CataloguePhrases
from edge_agent.ports import StoreError
from edge_agent.slip_desk import SlipDesk
from tests.core.people import receipt
from tests.store.terminal import NOON

TERMINAL = SlipTerminal("t1", "desa", "Balai Desa", "0800-1", "Asia/Jakarta")
CLAIM = Claim(
    "c1",
    "T1-0001",
    "e1",
    "s1",
    "BPNT",
    "2026-03",
    Benefit("goods", Decimal(10), "kg", "beras"),
    NOON,
    "t1",
    "Balai Desa",
)
OWED = Receipt("first", Outcome.GIVEN, None, "T1-0001", NOON, 1, "ab" * 32, (CLAIM,))
AGAIN = Receipt("again", Outcome.NOT_ENTITLED, Reason.ALREADY_CLAIMED, "T1-0002", NOON, 2, "ab" * 32, earlier=CLAIM)


class Printer:
    def __init__(self) -> None:
        self.slips: list[tuple[str, Slip]] = []

    def __call__(self, session_id: str, slip: Slip) -> None:
        self.slips.append((session_id, slip))


class Owing:
    """A store that owes these slips; two copies of each came out before."""

    def __init__(self, *owed: Receipt) -> None:
        self._owed = owed
        self._copies = 2

    def unprinted(self, to: str) -> Sequence[Receipt]:
        assert to == "again"
        return self._owed

    def count_copy(self, session_id: str) -> int:
        assert session_id in {receipt.session_id for receipt in self._owed}
        self._copies += 1
        return self._copies

    def slip_code(self, receipt: Receipt, copy: int) -> str:
        return f"AS1:{receipt.case_number} {copy}"


class Broken(Owing):
    def unprinted(self, to: str) -> Sequence[Receipt]:
        raise StoreError("terminal.db: locked")


def desk(*owed: Receipt) -> SlipDesk:
    return SlipDesk(CataloguePhrases("id"), TERMINAL, Owing(*owed))


def test_a_slip_that_cannot_be_worded_fails_and_names_no_value() -> None:
    printer = Printer()
    failed = desk().print(receipt("s1"), printer)  # GIVEN without a claim has no words
    assert [type(event) for event in failed] == [SlipFailed]
    assert isinstance(failed[0], SlipFailed)
    assert "ValueError" in failed[0].problem
    assert printer.slips == []


def test_the_owed_slip_follows_as_a_copy_and_its_end_is_noted_once() -> None:
    printer, slips = Printer(), desk(OWED)
    assert slips.print(AGAIN, printer) == []
    assert [(session_id, slip.slip_id) for session_id, slip in printer.slips] == [
        ("again", "T1-0002"),
        ("first", "T1-0001-copy3"),
    ]
    codes = [part.text for _, slip in printer.slips for part in slip.parts if isinstance(part, QrCode)]
    assert codes == ["AS1:T1-0002 0", "AS1:T1-0001 3"]
    assert slips.copy_ended(SlipPrinted("again")) is None
    assert slips.copy_ended(SlipPrinted("first")) == MarkSlip("first", True)
    assert slips.copy_ended(SlipPrinted("first")) is None


def test_an_owed_slip_that_cannot_be_worded_or_read_does_not_hurt_this_one() -> None:
    odd = Receipt("first", Outcome.GIVEN, None, "T1-0001", NOON, 1, "ab" * 32, (CLAIM,), remaining=(None,))  # type: ignore[arg-type]
    for slips in (desk(odd), SlipDesk(CataloguePhrases("id"), TERMINAL, Broken()), desk()):
        printer = Printer()
        assert slips.print(AGAIN, printer) == []
        assert [session_id for session_id, _ in printer.slips] == ["again"]


def test_an_acts_slip_carries_the_signed_code_of_what_it_is_about() -> None:
    printer, again = Printer(), ActReceipt("a1", Act.REPRINT, "o1", NOON, 3, "cd" * 32, copy=OWED, copy_number=2)
    assert desk().print_act(again, printer) == []
    assert (
        desk().print_act(ActReceipt("a2", Act.VOID, "o1", NOON, 4, "cd" * 32, ActProblem.SAME_OFFICER), printer) == []
    )
    assert [(act_id, slip.slip_id) for act_id, slip in printer.slips] == [("a1", "T1-0001-copy2"), ("a2", "a2-refused")]
    codes = [part.text for _, slip in printer.slips for part in slip.parts if isinstance(part, QrCode)]
    assert codes == ["AS1:T1-0001 2"]


def test_an_act_that_has_no_slip_fails_by_its_id() -> None:
    failed = desk().print_act(ActReceipt("a1", Act.CLOSE, "o1", NOON, 3, "cd" * 32), Printer())
    assert [(type(event), getattr(event, "session_id", "")) for event in failed] == [(SlipFailed, "a1")]
