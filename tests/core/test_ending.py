"""The last steps of a session: what may still come between a decision and its slip."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.core.messages import (
    AskAuthority,
    AuthorityAnswered,
    AuthorityNeeded,
    Event,
    PartFailed,
    PrinterStatusReported,
    RecordClaim,
    RecordOutcome,
    Ticked,
)
from edge_agent.core.model import Paper, Part, PrinterStatus, Reason
from edge_agent.core.rules import Now, Rules
from edge_agent.core.session import Phase, Session, step
from tests.core.people import ANA, rules

NO_PAPER = PrinterStatusReported(PrinterStatus(online=True, paper=Paper.OUT))
ASKING: Rules = replace(rules(), ask_centre=True)


def asking() -> Session:
    """Somebody was recognised, and the centre is being asked."""
    request = RecordClaim("s-1", ANA, None, may_ask=True)
    session = Session(
        phase=Phase.RECORDING,
        entered_s=100.0,
        started_s=95.0,
        session_id="s-1",
        request=request,
        printer=PrinterStatus(online=True),
    )
    session, effects = step(session, AuthorityNeeded("s-1", ("right",)), Now(100.1, bytes(16)), ASKING)
    assert AskAuthority("s-1", ("right",)) in effects
    return session


@pytest.mark.parametrize("lost", [NO_PAPER, PartFailed(Part.PRINTER, "cable")])
@pytest.mark.parametrize("end", [AuthorityAnswered("s-1"), Ticked()])
def test_nothing_is_given_once_the_printer_is_known_to_have_failed_while_the_centre_was_asked(
    lost: Event, end: Event
) -> None:
    session, effects = step(asking(), lost, Now(101.0, bytes(16)), ASKING)
    assert effects == ()
    session, effects = step(session, end, Now(110.0, bytes(16)), ASKING)
    (record,) = [effect for effect in effects if isinstance(effect, (RecordClaim, RecordOutcome))]
    assert isinstance(record, RecordOutcome)
    assert record.reason is Reason.PRINTER_UNAVAILABLE
    again, effects = step(session, AuthorityNeeded("s-1", ("right",)), Now(110.1, bytes(16)), ASKING)
    assert (again, effects) == (session, ()), "nor is the centre asked again"
