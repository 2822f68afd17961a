"""Random days at a terminal: claims, outcomes, slips, restarts, new rosters, clocks and acknowledgements in any order.

What must hold after every step: one claim per entitlement, a chain that verifies, an outbox in the ledger's order that
holds exactly what was not acknowledged, and the same answer to the same session.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge_agent.core.messages import MarkSlip
from edge_agent.core.model import EntitlementState, Outcome, Reason, Receipt
from edge_agent.store import SqliteOutbox, Store
from edge_agent.store.ledger import read_records, verify
from tests.store.terminal import SIGNING, Clock, claim_of, entitlement, open_store, referral, roster, write_roster

subjects = st.sampled_from(["s1", "s2", "s3", "stranger"])
reasons = st.sampled_from([r for r in Reason if r.outcome in (Outcome.REFERRED, Outcome.ABANDONED)])


class Terminal(RuleBasedStateMachine):
    """A terminal and what the test knows about it."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.store: Store = open_store(self.folder / "terminal.db")
        self.version = 0
        self.receipts: dict[str, tuple[Any, Receipt]] = {}
        self.unprinted: list[str] = []
        self.acknowledged: set[int] = set()

    def session(self) -> str:
        return f"session-{len(self.receipts)}"

    @rule(step=st.integers(1, 3), names=st.sets(st.sampled_from(["bpnt", "pkh"])), suspended=st.booleans())
    def import_roster(self, step: int, names: set[str], suspended: bool) -> None:
        self.version += step
        state = EntitlementState.SUSPENDED if suspended else EntitlementState.ACTIVE
        rights = [entitlement(s, name, state=state) for s in ("s1", "s2", "s3") for name in sorted(names)]
        content = roster(self.version, 3, rights)
        assert self.store.import_roster(write_roster(self.folder / "roster", content), self.clock()).changed

    @rule(subject=subjects)
    def claim(self, subject: str) -> None:
        request = claim_of(subject, self.session())
        receipt = self.store.record_claim(request, self.clock()).receipt
        self.receipts[request.session_id] = (request, receipt)
        if receipt.outcome is Outcome.GIVEN:
            self.unprinted.append(request.session_id)

    @rule(reason=reasons)
    def refer(self, reason: Reason) -> None:
        request = referral(self.session(), reason)
        self.receipts[request.session_id] = (request, self.store.record_outcome(request, self.clock()).receipt)

    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        if self.receipts:
            request, receipt = self.receipts[data.draw(st.sampled_from(sorted(self.receipts)))]
            ask: Any = self.store.record_outcome if hasattr(request, "reason") else self.store.record_claim
            again = ask(request, self.clock()).receipt
            assert (again.case_number, again.claims, again.earlier) == (
                receipt.case_number,
                receipt.claims,
                receipt.earlier,
            )

    @rule(printed=st.booleans(), data=st.data())
    def slip(self, printed: bool, data: st.DataObject) -> None:
        if self.unprinted:
            session = data.draw(st.sampled_from(self.unprinted))
            self.store.mark_slip(MarkSlip(session, printed, "paper out"), self.clock())
            if printed:
                self.unprinted.remove(session)

    @rule(days=st.integers(-40, 40), trusted=st.booleans())
    def set_clock(self, days: int, trusted: bool) -> None:
        self.clock(days=days)
        self.clock.trusted = trusted

    @rule(count=st.integers(1, 5))
    def acknowledge(self, count: int) -> None:
        outbox = SqliteOutbox(self.store.path)
        for row in outbox.oldest(count):
            outbox.delete(row.sequence)
            self.acknowledged.add(row.sequence)
        outbox.close()

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = open_store(self.folder / "terminal.db")

    @invariant()
    def books_balance(self) -> None:
        if not hasattr(self, "store"):
            return
        result = verify(self.store.path, SIGNING.public_key())
        assert result.intact
        assert result.head_sequence == self.store.ledger_head().sequence == len(list(read_records(self.store.path)))
        outbox = SqliteOutbox(self.store.path)
        waiting = [row.sequence for row in outbox.oldest(10_000)]
        outbox.close()
        assert waiting == [n for n in range(1, result.count + 1) if n not in self.acknowledged]
        given = [claim.entitlement_id for _, receipt in self.receipts.values() for claim in receipt.claims]
        assert len(given) == len(set(given))
        assert [receipt.session_id for receipt in self.store.unprinted()] == sorted(
            self.unprinted, key=lambda session: self.receipts[session][1].record_seq
        )

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


TestTerminal = Terminal.TestCase
TestTerminal.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
