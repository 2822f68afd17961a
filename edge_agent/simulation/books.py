"""Do the books balance? What the terminals recorded, held against what really happened and against each other.

Each line of the balance is one claim about the whole day, with every exception to it. A face may be taken for another's
(a false match): that is a measured property of the model, so it is counted and named with the rate to be expected, and
is no imbalance; somebody who got another's share by a card, by an officer's word or as proxy without being one, is.

Rules: pure; reads only what it is given.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from edge_agent.core.model import Entitlement, Outcome
from edge_agent.core.policy import Proxy
from edge_agent.simulation.booked import (
    BookedClaim,
    Event,
    LedgerCopy,
    booked_claims,
    counted_totals,
    events_of,
)
from edge_agent.simulation.truth import Arrival, Truth
from edge_agent.store.record_types import CLAIM_RECORDED, DAY_ENDED, OUTCOMES

TOLD_MAX = 5
"""Exceptions named on one line; the rest is counted."""


@dataclass(frozen=True)
class BookData:
    """Everything a day left behind. secrets: names and national numbers, which must be nowhere."""

    ledgers: tuple[LedgerCopy, ...]
    entitlements: Mapping[str, Entitlement]
    proxies: tuple[Proxy, ...]
    truth: Truth
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class BalanceLine:
    """One claim about the day: what, how much was looked at, and what contradicts it."""

    claim: str
    found: str
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing contradicts it."""
        return not self.problems

    @property
    def text(self) -> str:
        """As the command prints it."""
        told = "; ".join(self.problems[:TOLD_MAX])
        more = f"; and {len(self.problems) - TOLD_MAX} more" if len(self.problems) > TOLD_MAX else ""
        return f"{'ok ' if self.ok else 'NO '} {self.claim}: {self.found}" + (f": {told}{more}" if told else "")


@dataclass(frozen=True)
class Balance:
    """lines: in the order they are told. false_matches: sessions in which a face was taken for somebody else's."""

    lines: tuple[BalanceLine, ...]
    false_matches: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the books balance."""
        return all(line.ok for line in self.lines)


def balance(data: BookData) -> Balance:
    """Hold everything against everything."""
    claims = [claim for ledger in data.ledgers for claim in booked_claims(ledger)]
    named, false_matches = _names(data, claims)
    lines = (
        _chains(data),
        _once(data, claims),
        _owners(data, claims),
        _outcomes(data),
        _slips(data),
        _handed(data, claims),
        named,
        _totals(data),
        _delivery(data),
        _secrecy(data),
    )
    return Balance(lines, false_matches)


def _chains(data: BookData) -> BalanceLine:
    records = sum(len(ledger.events) for ledger in data.ledgers)
    problems = tuple(f"{ledger.terminal}: {ledger.broken}" for ledger in data.ledgers if ledger.broken)
    return BalanceLine("every terminal's chain verifies", f"{records} records, {len(data.ledgers)} chains", problems)


def _once(data: BookData, claims: list[BookedClaim]) -> BalanceLine:
    """Each portion once, and never more than the whole, over all terminals together."""
    problems: list[str] = []
    standing: dict[str, list[BookedClaim]] = defaultdict(list)
    for claim in claims:
        if not claim.voided:
            standing[claim.entitlement].append(claim)
    for name, given in sorted(standing.items()):
        right = data.entitlements.get(name)
        if right is None:
            problems.append(f"{name} is no entitlement of the roster")
            continue
        where = ", ".join(f"{claim.terminal} portion {claim.portion}" for claim in given)
        if len({claim.portion for claim in given}) < len(given):
            problems.append(f"{name} was given twice: {where}")
        total = sum((claim.amount for claim in given), Decimal(0))
        if total > right.benefit.amount:
            problems.append(f"{name}: {total} {right.benefit.unit} given of {right.benefit.amount}: {where}")
    found = f"{sum(map(len, standing.values()))} claims of {len(standing)} entitlements"
    return BalanceLine("every entitlement was given at most once, portion by portion", found, tuple(problems))


def _owners(data: BookData, claims: list[BookedClaim]) -> BalanceLine:
    """What was given was the recipient's own right, or one they are proxy for."""
    may_fetch = {(proxy.entitlement_id, proxy.proxy_id) for proxy in data.proxies}
    problems = []
    for claim in claims:
        right = data.entitlements.get(claim.entitlement)
        if right is None or (claim.proxy is None and right.subject_id == claim.subject):
            continue
        if claim.proxy is None or (claim.entitlement, claim.proxy) not in may_fetch:
            problems.append(f"{claim.entitlement} to {claim.proxy or claim.subject} in {claim.session}")
    fetched = sum(claim.proxy is not None for claim in claims)
    return BalanceLine("every claim is of the recipient's own right", f"{fetched} by proxy", tuple(problems))


def _outcomes(data: BookData) -> BalanceLine:
    """One record for each session; what the lights said is what the ledger says."""
    recorded: dict[str, list[Event]] = defaultdict(list)
    for ledger in data.ledgers:
        for event in events_of(ledger, *OUTCOMES):
            recorded[event["data"]["session"]].append(event)
    problems = []
    for arrival in data.truth.arrivals:
        found = recorded.pop(arrival.session_id, [])
        fewest = 0 if arrival.interrupted else 1
        if not fewest <= len(found) <= 1:
            problems.append(f"session {arrival.session_id} at {arrival.terminal} has {len(found)} outcomes")
        elif found and not arrival.interrupted:
            problems += _differences(arrival, found[0])
    problems += [f"session {session} was recorded, but nobody was there" for session in recorded]
    interrupted = sum(arrival.interrupted for arrival in data.truth.arrivals)
    found_text = f"{len(data.truth.arrivals)} arrivals, {interrupted} of them cut short by a power cut"
    return BalanceLine("every arrival has exactly one outcome, the one that was shown", found_text, tuple(problems))


def _differences(arrival: Arrival, event: Event) -> list[str]:
    shown = (arrival.outcome.value if arrival.outcome else None, arrival.reason.value if arrival.reason else None)
    booked = (event["data"]["outcome"], event["data"]["reason"])
    return [] if shown == booked else [f"session {arrival.session_id}: shown {shown}, recorded {booked}"]


def _slips(data: BookData) -> BalanceLine:
    """A slip came out, or the terminal knows that none did; it never believes in one that did not."""
    problems, slips, unprinted = [], 0, 0
    for ledger in data.ledgers:
        for event in events_of(ledger, *OUTCOMES):
            session, outcome = event["data"]["session"], event["data"]["outcome"]
            if outcome == Outcome.ABANDONED.value:
                continue
            came_out = data.truth.slips.get((ledger.terminal, session), 0)
            said = ledger.slips.get(session, "unknown")
            slips, unprinted = slips + bool(came_out), unprinted + (said != "printed")
            if said == "printed" and not came_out:
                problems.append(f"{ledger.terminal}: session {session} is marked printed, no slip came out")
            if said not in ("printed", "failed", "pending"):
                problems.append(f"{ledger.terminal}: session {session} has slip state '{said}'")
    found = f"{slips} slips came out, {unprinted} outcomes known as unprinted"
    return BalanceLine("every outcome but ABANDONED has a slip, or is known as unprinted", found, tuple(problems))


def _handed(data: BookData, claims: list[BookedClaim]) -> BalanceLine:
    """Goods and money in people's hands are the claims that stand, less those whose slip is known to be missing."""
    hands: Counter[str] = Counter()
    for one in data.truth.handed:
        hands[one.claim_id] += -1 if one.back else 1
    states = {(ledger.terminal, session): said for ledger in data.ledgers for session, said in ledger.slips.items()}
    problems: list[str] = []
    value: dict[str, Decimal] = defaultdict(Decimal)
    owed = 0
    for claim in claims:
        held = hands.pop(claim.claim_id, 0)
        if claim.voided:
            if held:
                problems.append(f"claim {claim.claim_id} is void, the goods were not given back")
            continue
        value[claim.unit] += claim.amount
        slip = states.get((claim.terminal, claim.session))
        owed += held == 0
        if held > 1 or (held == 0 and slip == "printed"):
            problems.append(f"claim {claim.claim_id}: handed out {held} times, its slip is {slip}")
    problems += [f"goods were handed out for claim {claim}, which nobody recorded" for claim, n in hands.items() if n]
    totals = ", ".join(f"{amount:f} {unit}" for unit, amount in sorted(value.items()))
    voids = sum(claim.voided for claim in claims)
    found = f"{totals or 'nothing'}; {voids} voided, {owed} recorded and still owed"
    return BalanceLine("what people hold is what the claims say, less voids", found, tuple(problems))


def _names(data: BookData, claims: list[BookedClaim]) -> tuple[BalanceLine, tuple[str, ...]]:
    """Whoever received something was the recipient, or their proxy; faces taken for another's are told apart."""
    arrivals = {arrival.session_id: arrival for arrival in data.truth.arrivals}
    evidence = {
        event["data"]["session"]: event["data"].get("evidence")
        for ledger in data.ledgers
        for event in events_of(ledger, CLAIM_RECORDED)
    }
    problems: list[str] = []
    false_matches: list[str] = []
    for claim in claims:
        arrival = arrivals.get(claim.session)
        if arrival is None or arrival.subject_id == (claim.proxy or claim.subject) or claim.voided:
            continue
        what = f"{claim.entitlement} to person {arrival.person} in session {claim.session}"
        (false_matches if evidence.get(claim.session) and not claim.assisted else problems).append(what)
    found = f"{len(claims)} claims, {len(false_matches)} by a false match"
    return BalanceLine("nobody received anything in another's name", found, tuple(problems)), tuple(false_matches)


def _totals(data: BookData) -> BalanceLine:
    """Each day's end says what its ledger says of that day up to there."""
    problems, days = [], 0
    for ledger in data.ledgers:
        for place, event in enumerate(ledger.events):
            if event["type"] != DAY_ENDED:
                continue
            days += 1
            before = LedgerCopy(ledger.terminal, ledger.events[:place])
            counted = counted_totals(before, event["data"]["day"])
            said = event["data"]["totals"]
            problems += [
                f"{ledger.terminal}: {name} is {said.get(name)} in the day's end, {value} in the ledger"
                for name, value in counted.items()
                if said.get(name) != value
            ]
            head = event["data"]["head"]
            if head["sequence"] != place or head["hash"] != event["prevhash"]:
                problems.append(f"{ledger.terminal}: the day's end names head {head['sequence']}, it follows {place}")
    return BalanceLine("totals of the day's end equal the ledger", f"{days} day's ends", tuple(problems))


def _delivery(data: BookData) -> BalanceLine:
    """Every record has arrived or still waits; what arrived is byte for byte what was signed."""
    problems, arrived, waiting = [], 0, 0
    for ledger in data.ledgers:
        for sequence, body in enumerate(ledger.bodies, 1):
            if sequence not in ledger.waiting and sequence not in ledger.delivered:
                problems.append(f"{ledger.terminal}: record {sequence} is neither here nor there")
            if ledger.delivered.get(sequence, body) != body:
                problems.append(f"{ledger.terminal}: record {sequence} arrived changed")
        arrived, waiting = arrived + len(ledger.delivered), waiting + len(ledger.waiting)
        problems += [
            f"{ledger.terminal}: the centre has record {sequence}, the terminal has lost it"
            for sequence in ledger.delivered
            if sequence > len(ledger.bodies)
        ]
    return BalanceLine("nothing recorded is lost", f"{arrived} records arrived, {waiting} wait", tuple(problems))


def _secrecy(data: BookData) -> BalanceLine:
    """No name and no national number in any record, here or at the centre."""
    secrets = [secret.encode() for secret in set(data.secrets)]
    problems = []
    for ledger in data.ledgers:
        everything = b"\n".join((*ledger.bodies, *ledger.delivered.values()))
        found = sum(secret in everything for secret in secrets)
        if found:
            problems.append(f"{ledger.terminal}: {found} names or national numbers stand in its records")
    return BalanceLine(
        "nothing personal in any record", f"{len(secrets)} names and numbers looked for", tuple(problems)
    )
