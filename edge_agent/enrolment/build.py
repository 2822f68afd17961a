"""What an office has (a list, photographs, enrolment files) -> a roster ready to be signed.

Rules: every fault is found before anything is given up. With a fault in it no roster is built, unless what is bad may
be skipped: then whoever is left out is told, by row, and a person none of whose rows is good is left out whole, since
a terminal would tell an enrolled person without an entitlement that they get nothing. A refused photograph is only
reported, as long as the person has another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from edge_agent.core.model import Embedding, Entitlement
from edge_agent.core.policy import Officer, Proxy
from edge_agent.enrolment.alike import AlikeMin, Comparison, Pair, find_alike
from edge_agent.enrolment.faults import Fault, Scope, file_fault
from edge_agent.enrolment.listed_rows import EntitlementList
from edge_agent.enrolment.office_files import Enrolled, PolicyFile, check_programmes, read_officers, read_proxies
from edge_agent.enrolment.photos import Looker, PhotoReport, enrol
from edge_agent.enrolment.source import photo_folders, read_enrolments
from edge_agent.ports import EmbedderId
from edge_agent.roster_content import Roster, RosterSubject

Tell = Callable[[int, int], None]
"""(photographs looked at, of how many)."""


@dataclass(frozen=True)
class RosterLabel:
    """What the roster says of itself."""

    site: str
    version: int
    issued_at: datetime


@dataclass(frozen=True)
class BuildOptions:
    """office_key: opens enrolment files; enrolments: their folder, when it isn't the source. id_key: turns national
    numbers into ids. same_person_min: as for `photos.enrol`. alike_min: as in `FaceRules`; None: nobody is compared.
    known_alike: pairs that are two people. skip_bad: build of what is good.
    """

    office_key: bytes | None = None
    enrolments: Path | None = None
    id_key: bytes | None = None
    same_person_min: float | None = None
    alike_min: Callable[[int, int], AlikeMin] | None = None
    known_alike: Mapping[Pair, str] = field(default_factory=dict)
    policy: PolicyFile = field(default_factory=PolicyFile)
    proxies: Path | None = None
    officers: Path | None = None
    revoked: frozenset[str] = frozenset()
    skip_bad: bool = False
    tell: Tell | None = None


@dataclass(frozen=True)
class LeftOut:
    """Who, or what, a roster lacks because of a fault. subject_id: empty where the row doesn't tell. whole: the person,
    not only these rows."""

    subject_id: str
    lines: tuple[int, ...]
    whole: bool


@dataclass(frozen=True)
class Build:
    """roster: None when there are faults that may not be skipped. problems: all faults; left_out: what `roster` lacks
    because of them. reports: a word on every photograph. compared: None when nobody was."""

    roster: Roster | None
    problems: tuple[Fault, ...]
    reports: tuple[PhotoReport, ...]
    left_out: tuple[LeftOut, ...] = ()
    compared: Comparison | None = None


@dataclass
class _Work:
    """What has been gathered so far.

    templates: by subject; photos: how many went into the best of them; embedders: what made them, with a file as an
    example; all_refused: subjects whose every photograph was refused.
    """

    listed: EntitlementList
    list_path: Path
    folder: Path | None
    templates: dict[str, list[Embedding]] = field(default_factory=dict)
    photos: dict[str, int] = field(default_factory=dict)
    embedders: dict[EmbedderId, Path] = field(default_factory=dict)
    all_refused: set[str] = field(default_factory=set)
    problems: list[Fault] = field(default_factory=list)
    reports: list[PhotoReport] = field(default_factory=list)
    compared: Comparison | None = None

    def add(self, subject_id: str, template: Embedding, photos: int, embedder: EmbedderId, source: Path) -> None:
        self.templates.setdefault(subject_id, []).append(template)
        self.photos[subject_id] = max(photos, self.photos.get(subject_id, 1))
        self.embedders.setdefault(embedder, source)

    def line_of(self, subject_id: str) -> int:
        person = self.listed.people.get(subject_id)
        return person.line if person is not None else 0


def build_roster(
    listed: EntitlementList,
    source: Path,
    label: RosterLabel,
    open_looker: Callable[[], Looker],
    options: BuildOptions | None = None,
) -> Build:
    """Gather everything. listed: as read from `source` (`source.read_source`), a file, or a folder that holds it.

    open_looker: called once, and only when there are photographs.
    """
    options = options or BuildOptions()
    folder = source if source.is_dir() else None
    work = _Work(listed, listed.path or source, folder, problems=list(listed.problems))
    enrolments = options.enrolments or folder
    if enrolments is not None:
        found, problems = read_enrolments(enrolments, options.office_key)
        work.problems += problems
        for path, one in found:
            if one.template is not None:
                work.add(one.subject_id, one.template, one.photos, one.embedder, path)
    photos, problems = photo_folders(folder) if folder is not None else ({}, [])
    work.problems += problems
    for subject_id, person in listed.people.items():
        photos.setdefault(subject_id, []).extend(p for p in person.photos if p not in photos.get(subject_id, ()))
    _enrol_all({subject: files for subject, files in photos.items() if files}, open_looker, options, work)
    _check_everybody_has_a_template(work)
    work.problems += check_programmes(work.list_path, listed, options.policy.programmes)
    _check_one_embedder(work)
    if not work.templates and not work.problems:
        work.problems.append(file_fault(work.list_path, "names nobody", "add people to the list"))
    _compare(options, work)
    return _finish(label, options, work)


def _enrol_all(
    photos: dict[str, list[Path]], open_looker: Callable[[], Looker], options: BuildOptions, work: _Work
) -> None:
    if not photos:
        return
    total, done = sum(len(files) for files in photos.values()), 0
    with closing(open_looker()) as looker:
        for subject_id, files in photos.items():
            person = work.listed.people.get(subject_id)
            where = person.where if person is not None else None
            enrolment = enrol(subject_id, files, looker, options.same_person_min, where)
            work.reports.extend(enrolment.reports)
            if enrolment.template is None:
                work.all_refused.add(subject_id)
            else:
                made_of = enrolment.photos
                work.add(subject_id, enrolment.template, made_of, enrolment.embedder, files[0].parent)
            done += len(files)
            if options.tell is not None:
                options.tell(done, total)


def _check_everybody_has_a_template(work: _Work) -> None:
    folder = work.folder
    for person in work.listed.people.values():
        subject_id = person.subject_id
        if subject_id in work.templates:
            continue
        if subject_id in work.all_refused:
            what, remedy = "no photograph was accepted", "see the report of the photographs, and add a better one"
        elif folder is not None:
            what = "has no photograph and no enrolment file"
            remedy = f"put photographs into {folder / subject_id}, or enrol the person"
        else:
            what = "has no photograph"
            remedy = "name the files in the list, or name them by the subject's id, or enrol the person"
        where = (work.listed.titles.get("photos", "subject_id"),)
        work.problems.append(
            Fault(work.list_path, person.line, where, what, remedy, subject_id, Scope.PERSON, subject_id)
        )
    for subject_id in sorted(work.all_refused - work.listed.people.keys() - work.templates.keys()):
        path = (folder or work.list_path.parent) / subject_id
        what, remedy = "no photograph was accepted", "add a better one, or remove the folder"
        work.problems.append(Fault(path, 0, (), what, remedy, scope=Scope.PERSON, subject_id=subject_id))


def _check_one_embedder(work: _Work) -> None:
    """Templates of different embedders can't stand in one roster."""
    made = list(work.embedders.items())
    for embedder, source in made[1:]:
        what = f"was made by {embedder}, {made[0][1]} by {made[0][0]}"
        work.problems.append(file_fault(source, what, "enrol these people again with the terminals' model"))


def _compare(options: BuildOptions, work: _Work) -> None:
    """Everybody with everybody; those who can't be told apart and aren't known to be two people are faults."""
    if options.alike_min is None or len(work.embedders) != 1:
        return
    work.compared = find_alike(work.templates, work.photos, options.alike_min)
    for pair in work.compared.pairs:
        if frozenset((pair.first, pair.second)) in options.known_alike:
            continue
        first, second = sorted((pair.first, pair.second), key=lambda subject: (work.line_of(subject), subject))
        line, other_line = work.line_of(first), work.line_of(second)
        place = f"line {other_line}" if other_line else "an enrolment"
        what = f"looks like {second} in {place} (score {pair.score:.3f}), maybe one person under two ids"
        remedy = "look at both photographs; remove one, or list the two ids with the reason in --known-alike"
        work.problems.append(
            Fault(
                work.list_path,
                line,
                (work.listed.titles.get("subject_id", "subject_id"),),
                what,
                remedy,
                first,
                Scope.PERSON,
                first,
                second,
                other_line,
                round(pair.score, 4),
            )
        )


def _finish(label: RosterLabel, options: BuildOptions, work: _Work) -> Build:
    left_out = _left_out(work) if options.skip_bad else ()
    gone = {one.subject_id for one in left_out if one.whole}
    bad_lines = {line for one in left_out for line in one.lines}
    entitlements = [
        one
        for one in work.listed.entitlements
        if one.subject_id not in gone and work.listed.line_of[one.entitlement_id] not in bad_lines
    ]
    subjects = {subject: rows for subject, rows in work.templates.items() if subject not in gone}
    # Without skipping, a fault of the list must not bring faults of proxies and officers with it.
    enrolled = Enrolled(subjects if options.skip_bad else {*subjects, *work.listed.people}, entitlements)
    proxies, officers = _proxies_and_officers(options, enrolled, work.problems)
    fatal = [fault for fault in work.problems if fault.scope is Scope.FILE or not options.skip_bad]
    if options.skip_bad and not fatal and not subjects:
        fatal = [file_fault(work.list_path, "has no good row", "correct the rows named above")]
        work.problems += fatal
    roster = None
    if not fatal:
        roster = replace(_roster(label, options, work, subjects, entitlements), proxies=proxies, officers=officers)
    return Build(roster, tuple(work.problems), tuple(work.reports), left_out, work.compared)


def _proxies_and_officers(
    options: BuildOptions, enrolled: Enrolled, problems: list[Fault]
) -> tuple[tuple[Proxy, ...], tuple[Officer, ...]]:
    proxies: tuple[Proxy, ...] = ()
    officers: tuple[Officer, ...] = ()
    if options.proxies is not None:
        proxies, faults = read_proxies(options.proxies, options.id_key, enrolled)
        problems += faults
    if options.officers is not None:
        officers, faults = read_officers(options.officers, options.id_key, enrolled)
        problems += faults
    return proxies, officers


def _left_out(work: _Work) -> tuple[LeftOut, ...]:
    """Who and which rows must stay out, ordered by line."""
    whole = {fault.subject_id for fault in work.problems if fault.scope is Scope.PERSON}
    whole |= {fault.other_id for fault in work.problems if fault.scope is Scope.PERSON and fault.other_id}
    rows = [(f.line, f.subject_id) for f in work.problems if f.scope is Scope.ROW]
    bad_lines = {line for line, _ in rows}
    still_given = {
        one.subject_id for one in work.listed.entitlements if work.listed.line_of[one.entitlement_id] not in bad_lines
    }
    whole |= {subject for _, subject in rows if subject and subject not in still_given}
    found = [LeftOut(subject, _lines(work, subject), True) for subject in whole]
    found += [LeftOut(subject, (line,), False) for line, subject in dict.fromkeys(rows) if subject not in whole]
    return tuple(sorted(found, key=lambda one: (one.lines, one.subject_id)))


def _lines(work: _Work, subject_id: str) -> tuple[int, ...]:
    person = work.listed.people.get(subject_id)
    return tuple(person.lines) if person is not None else ()


def _roster(
    label: RosterLabel,
    options: BuildOptions,
    work: _Work,
    subjects: Mapping[str, Sequence[Embedding]],
    entitlements: Sequence[Entitlement],
) -> Roster:
    policy = options.policy.policy.to_policy()
    people = work.listed.people
    names = {s: people[s].display_name for s in subjects if s in people} if policy.show_names else {}
    (embedder,) = work.embedders
    return Roster(
        label.site,
        label.version,
        label.issued_at,
        embedder,
        tuple(RosterSubject(s, np.stack(rows), names.get(s, "")) for s, rows in sorted(subjects.items())),
        tuple(sorted(entitlements, key=lambda e: e.entitlement_id)),
        revoked_tokens=options.revoked,
        policy=policy,
        programmes=options.policy.programmes,
    )
