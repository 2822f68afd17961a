"""A list as offices have it, of any length, with seeded errors; and pictures that stand for faces without a model.

A picture's first pixel is a person's number, its second what is wrong with it. `FaceExaminer` makes of a number a face
that no other number has, a little different in each picture.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from PIL import Image as Pillow

from edge_agent.core.model import FaceObservation, QualityProblem
from edge_agent.enrolment.alike import AlikeMin, FaceRules
from edge_agent.enrolment.photos import PhotoTools
from edge_agent.ports import EmbedderId, Image
from tests.enrolment.office import load

EMBEDDER = EmbedderId("number-net", "34" * 32)
TITLES = (
    *("No", "NIK", "Nama Penerima", "Desa", "Program", "Periode", "Jenis", "Jumlah", "Satuan", "Barang"),
    *("Mulai", "Sampai", "Foto"),
)
COLUMNS_FILE = Path(__file__).parents[2] / "config" / "roster-columns.yaml"
SURNAMES = ("Sutrisno", "Wulandari", "Hidayat", "Kusumawati", "Prasetyo", "Rahmawati", "Siregar", "Nainggolan")
GIVEN = ("Siti", "Budi", "Dewi", "Agus", "Rina", "Joko", "Ratna", "Slamet", "Endang", "Tuti")
DARK, NO_FACE = 1, 2
RULES = FaceRules(EMBEDDER, "56" * 32, lambda _people, _photos: AlikeMin(0.9, 1e-6))


class FaceExaminer:
    """128 numbers of unit length from a person's number."""

    examined = 0

    @property
    def embedder(self) -> EmbedderId:
        return EMBEDDER

    def examine(self, image: Image) -> FaceObservation:
        self.examined += 1
        pixels = image.reshape(-1, 3)
        if pixels[1, 0] == DARK:
            return FaceObservation(0.0, 1, (QualityProblem.DARK,))
        if pixels[1, 0] == NO_FACE:
            return FaceObservation(0.0, None, (QualityProblem.NO_FACE,))
        face = np.random.default_rng(pixels[0].astype(int)).normal(size=128)
        face += 0.1 * np.random.default_rng(pixels[2].astype(int)).normal(size=128)
        return FaceObservation(0.0, 1, (), quality=1.0, probe=(face / np.linalg.norm(face)).astype(np.float32))


def tools(examiner: FaceExaminer | None = None) -> PhotoTools:
    return PhotoTools(load, examiner or FaceExaminer())


def face(path: Path, person: int, fault: int = 0, picture: int = 0) -> Path:
    """A picture of this person."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 0] = (person >> 16 & 255, person >> 8 & 255, person & 255)
    pixels[0, 1, 0] = fault
    pixels[1, 0] = (picture & 255, person & 255, person >> 8 & 255)
    Pillow.fromarray(pixels).save(path, compress_level=1)
    return path


def nik(number: int) -> str:
    """A NIK that can be one; every second a woman's."""
    day = number % 28 + 1 + (40 if number % 2 else 0)
    return f"3204{number % 40 + 1:02}{day:02}{number % 12 + 1:02}{number % 50 + 40:02}{number % 9999 + 1:04}"


def name(number: int) -> str:
    return f"{GIVEN[number % len(GIVEN)]} {SURNAMES[number // len(GIVEN) % len(SURNAMES)]} {_roman(number)}"


@dataclass
class OfficeList:
    """The list's rows as a clerk would type them, and what is wrong with which line.

    faults: line -> column. private: every NIK and name in it.
    """

    path: Path
    rows: list[list[Any]]
    faults: dict[int, str] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)

    @property
    def photo_folder(self) -> Path:
        return self.path.parent / "foto"


def good_row(number: int) -> list[Any]:
    """Rice for one person; the photograph is named by the row's number."""
    village = ("Sukamaju", "Sukasari", "Mekarwangi")[number % 3]
    days = (date(2026, 3, 1), date(2026, 3, 31))
    return [
        *(number, nik(number), name(number), village, "Sembako", "Maret 2026", "Barang", 10, "kg", "beras"),
        *days,
        str(number),
    ]


def make_list(path: Path, people: int, errors: int = 0, seed: int = 1) -> OfficeList:
    """A list of this many people with photographs, as .xlsx or .csv; `errors` of them bad, in turn of each kind."""
    office = OfficeList(path, [good_row(number) for number in range(1, people + 1)])
    office.private = {nik(number) for number in range(1, people + 1)} | {name(n) for n in range(1, people + 1)}
    for number in range(1, people + 1):
        face(office.photo_folder / f"{number}.png", number)
    bad = sorted(random.Random(seed).sample(range(2, people + 1), errors))
    for place, number in enumerate(bad):
        line, row = number + 1, office.rows[number - 1]
        column = ERRORS[place % len(ERRORS)](office, row, number)
        office.faults[line] = column
    write_list(office)
    return office


def write_list(office: OfficeList) -> None:
    if office.path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(list(TITLES))
        for row in office.rows:
            sheet.append(row)
        book.save(office.path)
        return
    with office.path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(TITLES)
        writer.writerows(
            [[day.strftime("%d/%m/%Y") if isinstance(day, date) else day for day in row] for row in office.rows]
        )


def _roman(number: int) -> str:
    """A family name nobody else has, of letters only."""
    letters = ""
    while number:
        letters, number = chr(ord("a") + number % 26) + letters, number // 26
    return f"Mar{letters}".title()


def _set(title: str, value: Any) -> Callable[[OfficeList, list[Any], int], str]:
    def change(_office: OfficeList, row: list[Any], _number: int) -> str:
        row[TITLES.index(title)] = value
        return title

    return change


def _nik_as_number(_office: OfficeList, row: list[Any], number: int) -> str:
    row[1] = float(nik(number)[:15] + "0") if number % 2 else "3,20401E+15"
    return "NIK"


def _nik_too_short(_office: OfficeList, row: list[Any], number: int) -> str:
    row[1] = nik(number)[:15]
    return "NIK"


def _bad_birthday(_office: OfficeList, row: list[Any], number: int) -> str:
    row[1] = nik(number)[:6] + "3513" + nik(number)[10:]
    return "NIK"


def _no_photo(office: OfficeList, _row: list[Any], number: int) -> str:
    (office.photo_folder / f"{number}.png").unlink()
    return "Foto"


def _dark_photo(office: OfficeList, _row: list[Any], number: int) -> str:
    face(office.photo_folder / f"{number}.png", number, DARK)
    return "Foto"


def _neighbours_face(office: OfficeList, _row: list[Any], number: int) -> str:
    face(office.photo_folder / f"{number}.png", 1, picture=number)
    return "alike"


def _same_row_again(office: OfficeList, row: list[Any], number: int) -> str:
    row[1:3] = office.rows[0][1:3]
    face(office.photo_folder / f"{number}.png", 1, picture=number)
    return "again"


ERRORS: tuple[Callable[[OfficeList, list[Any], int], str], ...] = (
    _nik_as_number,
    _nik_too_short,
    _bad_birthday,
    _set("Jumlah", "sepuluh"),
    _set("Sampai", "31/02/2026"),
    _set("Program", "Sembakoo"),
    _set("Satuan", ""),
    _set("Desa", "Suka Makmur"),
    _no_photo,
    _dark_photo,
    _neighbours_face,
    _same_row_again,
)
