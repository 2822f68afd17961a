"""What an office has (a list, photographs, enrolment files) -> a roster ready to be signed.

Rules: every fault is found before anything is given up; a roster with a fault in it is not built. A refused photograph
is only reported, as long as the person has another one.

SOURCE is a CSV whose `photos` column names files beside it, or a folder with `entitlements.csv`, one sub-folder of
photographs per subject (its name is the id), and `<subject>.enrolment` files; both kinds of template may be mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from edge_agent.core.model import Embedding
from edge_agent.enrolment.enrolment_file import SUFFIX, read_enrolment
from edge_agent.enrolment.entitlement_list import EntitlementList, read_list
from edge_agent.enrolment.photos import PhotoReport, PhotoTools, enrol
from edge_agent.ports import EmbedderId, RosterError
from edge_agent.roster_file import Roster, RosterSubject
from edge_agent.roster_schema import SubjectId, first_problem
from edge_agent.settings_errors import Problem

LIST_NAME = "entitlements.csv"
_NOT_PHOTOS = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class RosterLabel:
    """What the roster says of itself."""

    site: str
    version: int
    issued_at: datetime


@dataclass(frozen=True)
class Build:
    """roster: None when there are problems. reports: a word on every photograph."""

    roster: Roster | None
    problems: tuple[Problem, ...]
    reports: tuple[PhotoReport, ...]


@dataclass
class _Work:
    """What has been gathered so far.

    templates: by subject; embedders: what made them, with a file as an example; all_refused: subjects whose every
    photograph was refused.
    """

    listed: EntitlementList
    templates: dict[str, list[Embedding]] = field(default_factory=dict)
    embedders: dict[EmbedderId, Path] = field(default_factory=dict)
    all_refused: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    reports: list[PhotoReport] = field(default_factory=list)

    def add(self, subject_id: str, template: Embedding, embedder: EmbedderId, source: Path) -> None:
        self.templates.setdefault(subject_id, []).append(template)
        self.embedders.setdefault(embedder, source)


def build_roster(
    source: Path,
    label: RosterLabel,
    photo_tools: Callable[[], PhotoTools],
    office_key: bytes | None = None,
    same_person_min: float | None = None,
) -> Build:
    """Gather everything the source holds.

    photo_tools: called once, and only when there are photographs. office_key: opens enrolment files. same_person_min:
    as for `photos.enrol`.
    """
    is_folder = source.is_dir()
    list_path = source / LIST_NAME if is_folder else source
    listed = read_list(list_path)
    work = _Work(listed, problems=list(listed.problems))
    if is_folder:
        _read_enrolments(source, office_key, work)
    photos = _photo_folders(source, work) if is_folder else {}
    for subject_id, person in listed.people.items():
        photos.setdefault(subject_id, []).extend(p for p in person.photos if p not in photos.get(subject_id, ()))
    _enrol_all({subject: files for subject, files in photos.items() if files}, photo_tools, same_person_min, work)
    _check_everybody_has_a_template(list_path, source if is_folder else None, work)
    _check_one_embedder(work)
    if not work.templates and not work.problems:
        work.problems.append(Problem(list_path, 0, (), "names nobody", "add people to the list"))
    roster = None if work.problems else _roster(label, work)
    return Build(roster, tuple(work.problems), tuple(work.reports))


def _read_enrolments(folder: Path, office_key: bytes | None, work: _Work) -> None:
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if office_key is None:
            remedy = "give the office's key with --office-key"
            work.problems.append(Problem(path, 0, (), "is encrypted and there is no key to open it", remedy))
            continue
        try:
            enrolment = read_enrolment(path, office_key)
        except RosterError as error:
            what, _, remedy = str(error).removeprefix(f"{path}: ").rpartition("; ")
            work.problems.append(Problem(path, 0, (), what or remedy, remedy))
            continue
        if enrolment.template is not None:
            work.add(enrolment.subject_id, enrolment.template, enrolment.embedder, path)


def _photo_folders(folder: Path, work: _Work) -> dict[str, list[Path]]:
    photos: dict[str, list[Path]] = {}
    for sub_folder in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        try:
            subject_id = TypeAdapter(SubjectId).validate_python(sub_folder.name)
        except ValidationError as error:
            remedy = "name the folder by the subject's opaque id, or move it out of the source"
            work.problems.append(
                Problem(folder, 0, (), f"a sub-folder's name is no id: {first_problem(error)}", remedy)
            )
            continue
        photos[subject_id] = [file for file in sorted(sub_folder.iterdir()) if _may_be_photo(file)]
    return photos


def _may_be_photo(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.name.lower() not in _NOT_PHOTOS


def _enrol_all(
    photos: dict[str, list[Path]], photo_tools: Callable[[], PhotoTools], same_person_min: float | None, work: _Work
) -> None:
    if not photos:
        return
    with closing(photo_tools()) as tools:
        for subject_id, files in photos.items():
            enrolment = enrol(subject_id, files, tools, same_person_min)
            work.reports.extend(enrolment.reports)
            if enrolment.template is None:
                work.all_refused.add(subject_id)
            else:
                work.add(subject_id, enrolment.template, enrolment.embedder, files[0].parent)


def _check_everybody_has_a_template(list_path: Path, folder: Path | None, work: _Work) -> None:
    for person in work.listed.people.values():
        if person.subject_id in work.templates:
            continue
        if person.subject_id in work.all_refused:
            what, remedy = "no photograph was accepted", "see the report of the photographs, and add a better one"
        elif folder is not None:
            what = "has no photograph and no enrolment file"
            remedy = f"put photographs into {folder / person.subject_id}, or enrol the person"
        else:
            what, remedy = "has no photograph", "name the files in the column 'photos', separated by |"
        work.problems.append(Problem(list_path, person.line, ("subject_id",), what, remedy, person.subject_id))
    for subject_id in sorted(work.all_refused - work.listed.people.keys() - work.templates.keys()):
        where = (folder or list_path.parent) / subject_id
        what, remedy = "no photograph was accepted", "add a better one, or remove the folder"
        work.problems.append(Problem(where, 0, (), what, remedy))


def _check_one_embedder(work: _Work) -> None:
    """Templates of different embedders can't stand in one roster."""
    made = list(work.embedders.items())
    for embedder, source in made[1:]:
        what = f"was made by {embedder}, {made[0][1]} by {made[0][0]}"
        work.problems.append(Problem(source, 0, (), what, "enrol these people again with the terminals' model"))


def _roster(label: RosterLabel, work: _Work) -> Roster:
    names = {subject_id: person.display_name for subject_id, person in work.listed.people.items()}
    (embedder,) = work.embedders
    return Roster(
        label.site,
        label.version,
        label.issued_at,
        embedder,
        tuple(
            RosterSubject(subject_id, np.stack(rows), names.get(subject_id, ""))
            for subject_id, rows in sorted(work.templates.items())
        ),
        tuple(sorted(work.listed.entitlements, key=lambda e: e.entitlement_id)),
    )


def problems_text(problems: Iterable[Problem]) -> str:
    """One problem a line, ordered by file and line."""
    return "\n".join(str(problem) for problem in sorted(problems, key=lambda p: (str(p.path), p.line)))
