"""The people of one site: who they are, what they are entitled to, who looks like whom, and how they will come.

Everything a roster doesn't say (a name, a face, an intention) is the simulation's own knowledge, the truth that the
books are held against afterwards.

Rules: the same seed gives the same village. Every kind of person is there at least once from `SMALLEST` subjects on;
the shares are assumptions of the right order, chosen so that each case comes up, and are no statistics.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum

import numpy as np

from edge_agent.core.model import Benefit, Embedding, Entitlement, EntitlementState
from edge_agent.core.policy import Officer, Proxy
from edge_agent.simulation import likeness
from edge_agent.simulation.bearing import OLD, SLOW, STIFF, YOUNG, Pace
from edge_agent.simulation.likeness import Face, FaceModel

SMALLEST = 40


class Kind(str, Enum):
    """How somebody comes, or why they are special."""

    ORDINARY = "ordinary"
    CARD = "card"
    TWICE = "twice"
    LEAVES = "leaves"
    STIFF = "stiff"
    VEILED = "veiled"
    CHANGED = "changed"
    TWIN = "twin"
    SIBLING = "sibling"
    PROXY = "proxy"
    FETCHED_FOR = "fetched_for"
    BEDRIDDEN = "bedridden"
    OFFICER = "officer"
    TWO_BENEFITS = "two_benefits"
    PORTIONS = "portions"
    SUSPENDED = "suspended"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    NOTHING = "nothing"
    LEASE_OVER = "lease_over"
    REVOKED_CARD = "revoked_card"
    MISTAKEN = "mistaken"
    LOST_SLIP = "lost_slip"
    STRANGER = "stranger"
    PRINT = "print"
    ANOTHERS_CARD = "anothers_card"


_SHARES = {
    Kind.CARD: 0.15,
    Kind.TWICE: 0.03,
    Kind.LEAVES: 0.015,
    Kind.STIFF: 0.015,
    Kind.VEILED: 0.01,
    Kind.CHANGED: 0.01,
    Kind.TWIN: 0.02,
    Kind.SIBLING: 0.1,
    Kind.PROXY: 0.015,
    Kind.FETCHED_FOR: 0.015,
    Kind.BEDRIDDEN: 0.01,
    Kind.TWO_BENEFITS: 0.15,
    Kind.PORTIONS: 0.02,
    Kind.SUSPENDED: 0.005,
    Kind.TOO_EARLY: 0.005,
    Kind.TOO_LATE: 0.005,
    Kind.NOTHING: 0.005,
    Kind.LEASE_OVER: 0.005,
    Kind.REVOKED_CARD: 0.005,
    Kind.MISTAKEN: 0.0,
    Kind.LOST_SLIP: 0.01,
    Kind.OFFICER: 0.0,
}
"""Of the subjects; each kind is there at least once, twins and siblings at least in pairs."""
_OUTSIDERS = {Kind.STRANGER: 0.01, Kind.PRINT: 0.005, Kind.ANOTHERS_CARD: 0.005}
_PAIRED = (Kind.TWIN, Kind.SIBLING)
_CHANGED_STRAIN = 30.0
"""A face that changed since it was enrolled (illness, years, a dressing): its visits are so much noisier."""

_GIVEN = ("Siti", "Budi", "Ani", "Joko", "Sri", "Agus", "Dewi", "Eko", "Wati", "Slamet", "Tuti", "Bambang", "Yanti")
_FAMILY = ("Rahayu", "Santoso", "Wulandari", "Prasetyo", "Kusuma", "Hidayat", "Lestari", "Nugroho", "Saputra")


@dataclass(frozen=True, eq=False)
class Person:
    """One person as they are. subject_id: None when not enrolled. home: the terminal of their entitlements.

    national_number, name: must never be found in a record. card_of: the subject whose
    card they carry; None: nobody's. other: twin, person fetched for, or whose picture or card it is.
    """

    number: int
    name: str
    national_number: str
    kind: Kind
    face: Face
    pace: Pace
    home: int
    subject_id: str | None = None
    card_of: str | None = None
    other: str | None = None


@dataclass(frozen=True, eq=False)
class Village:
    """people: subjects first, in the order of their ids. templates: of the subjects, in the same order."""

    people: tuple[Person, ...]
    templates: tuple[Embedding, ...]
    entitlements: tuple[Entitlement, ...]
    proxies: tuple[Proxy, ...]
    officers: tuple[Officer, ...]

    @property
    def subjects(self) -> tuple[Person, ...]:
        """Those who are enrolled."""
        return tuple(person for person in self.people if person.subject_id is not None)


def build_village(subjects: int, terminals: tuple[str, ...], day: date, seed: int, faces: FaceModel) -> Village:
    """subjects: at least `SMALLEST`. day: local day of the distribution."""
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    kinds = _kinds(subjects, chance)
    people = [
        _person(number, kind, faces.stranger(rng), terminals=len(terminals), chance=chance)
        for number, kind in enumerate(kinds, 1)
    ]
    people = _related(people, faces, rng)
    templates = _enrol(people, faces, rng)
    people = [_as_they_are_now(person, faces, rng) for person in people]
    outsiders = [kind for kind, share in _OUTSIDERS.items() for _ in range(max(1, round(share * subjects)))]
    people += [
        _outsider(subjects + place, kind, people, faces.stranger(rng), chance=chance)
        for place, kind in enumerate(outsiders, 1)
    ]
    enrolled = [person for person in people if person.subject_id]
    rights = [right for person in enrolled for right in _rights(person, terminals, day)]
    return Village(tuple(people), templates, tuple(rights), _proxies(enrolled, rights), _officers(enrolled, terminals))


def _kinds(subjects: int, chance: random.Random) -> list[Kind]:
    kinds: list[Kind] = []
    for kind, share in _SHARES.items():
        wanted = max(1, round(share * subjects))
        if kind in _PAIRED:
            wanted += wanted % 2
        if kind in (Kind.FETCHED_FOR, Kind.MISTAKEN):
            wanted += 1  # one is fetched for by the officer only; one mistake may fall into a power cut
        kinds += [kind] * wanted
    kinds += [Kind.ORDINARY] * (subjects - len(kinds))
    chance.shuffle(kinds)
    return kinds


def _enrol(people: list[Person], faces: FaceModel, rng: np.random.Generator) -> tuple[Embedding, ...]:
    """Templates; twins were photographed on the same day, in the same light and with the same hair."""
    photographs = {person.subject_id: faces.photographs(rng) for person in people}
    return tuple(
        faces.template(
            person.face,
            photographs[min(str(person.subject_id), str(person.other))]
            if person.kind is Kind.TWIN
            else photographs[person.subject_id],
        )
        for person in people
    )


def _as_they_are_now(person: Person, faces: FaceModel, rng: np.random.Generator) -> Person:
    if person.kind is not Kind.CHANGED:
        return person
    return replace(person, face=faces.relative(person.face, likeness.CHANGED, rng))


def _person(number: int, kind: Kind, face: Face, *, terminals: int, chance: random.Random) -> Person:
    pace = STIFF if kind is Kind.STIFF else chance.choices((YOUNG, OLD, SLOW), (5, 4, 1))[0]
    subject_id = f"s-{number:04d}"
    return Person(
        number=number,
        name=f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)} {chance.choice(_FAMILY)}",
        national_number=str(chance.randrange(3_000_000_000_000_000, 3_999_999_999_999_999)),
        kind=kind,
        face=face,
        pace=pace,
        home=number % terminals,
        subject_id=subject_id,
        card_of=subject_id,
    )


def _related(people: list[Person], faces: FaceModel, rng: np.random.Generator) -> list[Person]:
    """Twins and siblings get each other's faces, proxies get somebody to fetch for."""
    related = list(people)
    for kind, likeness_of in ((Kind.TWIN, likeness.TWIN), (Kind.SIBLING, likeness.SIBLING)):
        places = [place for place, person in enumerate(related) if person.kind is kind]
        for one, two in zip(places[::2], places[1::2], strict=True):
            face = faces.relative(related[one].face, likeness_of, rng)
            related[two] = replace(related[two], face=face, other=related[one].subject_id, home=related[one].home)
            related[one] = replace(related[one], other=related[two].subject_id)
    fetched = iter([person for person in related if person.kind is Kind.FETCHED_FOR])
    for place, person in enumerate(related):
        if person.kind is Kind.PROXY and (other := next(fetched, None)) is not None:
            related[place] = replace(person, other=other.subject_id, home=other.home)
    return related


def _outsider(number: int, kind: Kind, people: list[Person], face: Face, *, chance: random.Random) -> Person:
    """Somebody who is not enrolled; a print and a card are an ordinary subject's."""
    person = _person(number, kind, face, terminals=1 + max(one.home for one in people), chance=chance)
    owner = chance.choice([one for one in people if one.kind is Kind.ORDINARY])
    person = replace(person, subject_id=None, card_of=None)
    if kind is Kind.PRINT:
        return replace(person, face=owner.face, other=owner.subject_id, home=owner.home)
    if kind is Kind.ANOTHERS_CARD:
        return replace(person, card_of=owner.subject_id, other=owner.subject_id, home=owner.home)
    return person


RICE = Benefit("goods", Decimal(10), "kg", "beras")
OIL = Benefit("goods", Decimal(4), "l", "minyak goreng")
MONEY = Benefit("money", Decimal(600_000), "IDR")


def _rights(person: Person, terminals: tuple[str, ...], day: date) -> list[Entitlement]:
    if person.kind is Kind.NOTHING:
        return []
    starts, ends = day - timedelta(days=9), day + timedelta(days=20)
    if person.kind is Kind.TOO_EARLY:
        starts = day + timedelta(days=3)
    if person.kind is Kind.TOO_LATE:
        ends = day - timedelta(days=2)
    lease_over = person.kind is Kind.LEASE_OVER
    noon = datetime.fromisoformat(f"{day.isoformat()}T05:00:00+00:00")
    right = Entitlement(
        entitlement_id=f"{person.subject_id}.beras.{day:%Y-%m}",
        subject_id=person.subject_id or "",
        programme="Bantuan Pangan",
        cycle=f"{day:%Y-%m}",
        benefit=RICE,
        valid_from=starts,
        valid_until=ends,
        state=EntitlementState.SUSPENDED if person.kind is Kind.SUSPENDED else EntitlementState.ACTIVE,
        home=terminals[person.home],
        lease_until=noon + timedelta(days=-1 if lease_over else 20),
    )
    more = {Kind.TWO_BENEFITS: ("pkh", "PKH", MONEY, None), Kind.PORTIONS: ("minyak", "Minyak", OIL, Decimal(2))}
    if person.kind not in more:
        return [right]
    name, programme, benefit, portion = more[person.kind]
    other = replace(
        right,
        entitlement_id=f"{person.subject_id}.{name}.{day:%Y-%m}",
        programme=programme,
        benefit=benefit,
        portion=portion,
        portion_days=7,
    )
    return [right, other]


def _proxies(enrolled: list[Person], rights: list[Entitlement]) -> tuple[Proxy, ...]:
    """Proxies fetch the rice of whom they come for; so may one officer, who must not while on duty."""
    fetching = {person.other: person for person in enrolled if person.kind is Kind.PROXY and person.other}
    officer = next(person for person in enrolled if person.kind is Kind.OFFICER)
    alone = {person.subject_id for person in enrolled if person.kind is Kind.FETCHED_FOR}
    return tuple(
        Proxy(right.entitlement_id, right.cycle, str(fetching.get(right.subject_id, officer).subject_id))
        for right in rights
        if right.subject_id in alone
    )


def _officers(enrolled: list[Person], terminals: tuple[str, ...]) -> tuple[Officer, ...]:
    """Two for each terminal; the first is enrolled too."""
    subject_id = next(person.subject_id for person in enrolled if person.kind is Kind.OFFICER)
    return tuple(
        Officer(f"o-{number:02d}", subject_id if number == 1 else None) for number in range(1, 2 * len(terminals) + 1)
    )
