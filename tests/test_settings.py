"""A settings file with faults is told line by line; a good one comes out anchored to its folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import yaml

from edge_agent.core.model import PadMode
from edge_agent.settings import Settings, load
from edge_agent.settings_errors import SettingsError
from edge_agent.settings_reference import page, sections

GOOD = """\
terminal:
  id: t-0001
  site: desa-contoh
  place: Balai Desa Contoh
  complaint_channel: "Telp. 0800-000-000"
camera:
  driver: v4l2
  device: /dev/video0
printer:
  driver: serial
  device: /dev/ttyUSB0
leds:
  driver: gpio
store:
  path: state/terminal.sqlite
  template_key: template.key
  signing_key: /etc/keys/signing.pem
  roster_key: roster.pub.pem
uplink:
  host: broker.example
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "terminal.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(folder: Path, text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(write(folder, text))
    return caught.value


def test_good_file_loads_with_its_hash_and_anchored_paths(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    loaded = load(path)
    assert loaded.path == path
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.settings.terminal.id == "t-0001"
    assert loaded.settings.store.path == tmp_path / "state/terminal.sqlite"
    assert loaded.settings.store.signing_key == Path("/etc/keys/signing.pem")
    assert loaded.settings.vision.manifest == tmp_path.parent / "models/manifest.yaml", "defaults are anchored too"


def test_paths_do_not_depend_on_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, GOOD)
    monkeypatch.chdir(tmp_path.parent)
    loaded = load(Path(tmp_path.name) / "terminal.yaml")
    assert loaded.settings.store.path == tmp_path / "state/terminal.sqlite"


TYPOS = [
    # (what to replace, by what, line, field, words of the message)
    ("  id: t-0001", "  idd: t-0001", 2, "terminal.idd", "did you mean 'id'?"),
    ("  site: desa-contoh", "", 1, "terminal.site", "required and missing; add `site: …`"),
    ("  id: t-0001", "  id: 3204", 2, "terminal.id", "3204: is a number, text is wanted; put it in quotes"),
    ("  id: t-0001", "  id: a b", 2, "terminal.id", "a b: has characters that are not allowed"),
    ("  place: Balai Desa Contoh", '  place: ""', 4, "terminal.place", "is too short; give text of 1 to 80 characters"),
    ("  place: Balai Desa Contoh", "  place:", 4, "terminal.place", "has no value"),
    ("  site: desa-contoh", "  site: desa\n  timezone: Asia/Jakrta", 4, "terminal.timezone", "mean 'Asia/Jakarta'?"),
    ("  driver: v4l2", "  driver: v4l", 7, "camera.driver", "picamera2, v4l2, file or puppet; did you mean 'v4l2'?"),
    (
        "  driver: v4l2",
        "  driver: v4l2\n  fps_idle: 90",
        8,
        "camera.fps_idle",
        "90: above 60; give a number from 0.5 to 60",
    ),
    ("  driver: v4l2", "  driver: v4l2\n  width_px: 640px", 8, "camera.width_px", "640px: is not a whole number"),
    ("  driver: v4l2", "  driver: v4l2\n  height_px: 480.5", 8, "camera.height_px", "is not a whole number"),
    (
        "  driver: v4l2",
        "  driver: v4l2\n  loop: maybe",
        8,
        "camera.loop",
        "is neither true nor false; give true or false",
    ),
    ("  driver: v4l2", "  driver: v4l2\n  fps_awake: true", 8, "camera.fps_awake", "a number is wanted"),
    ("  driver: v4l2", "  driver: file", 6, "camera.path", "driver 'file' needs a path; add `path: FILE`"),
    ("  device: /dev/video0", "  baud: 9600", 8, "camera.baud", "move it to section 'printer'"),
    ("  driver: serial", "  driver: network", 9, "printer.host", "needs a host; add `host: ADDRESS`"),
    (
        "  driver: gpio",
        "  driver: gpio\n  pins: {left: 5, rigth: 6}",
        14,
        "leds.pins.rigth",
        "known here: 'left', 'right'",
    ),
    ("  driver: gpio", "  driver: gpio\n  pins: {left: 5, right: 6}", 14, "leds.pins", "no pin for green, red, yellow"),
    (
        "  host: broker.example",
        "  host: a\n  keepalive_s: 1",
        21,
        "uplink.keepalive_s",
        "below 5; give a whole number from",
    ),
    ("  host: broker.example", "  host: a\n  backoff_min_s: 0", 21, "uplink.backoff_min_s", "not above 0"),
    (
        "  host: broker.example",
        "  host: a\n  backoff_min_s: 20\n  backoff_max_s: 10",
        21,
        "uplink.backoff_min_s",
        "20 is over backoff_max_s, which is 10; lower it",
    ),
    (
        "  host: broker.example",
        "  host: a\n  password_file: p",
        21,
        "uplink.password_file",
        "a password without a user; add `username: NAME`",
    ),
    ("  host: broker.example", "  host: a\n  tls: {key: k}", 21, "uplink.tls.ca", "required and missing; add `ca: …`"),
    ("uplink:", "uplnik:", 19, "uplnik", "did you mean 'uplink'?"),
    ("printer:", "printers:", 9, "printers", "did you mean 'printer'?"),
    ("uplink:", "session:\n  max_s: 11\nuplink:", 20, "session.max_s", "11 leaves under 5 s for the person; raise it"),
    (
        "uplink:",
        "pad:\n  mode: enforce\nuplink:",
        20,
        "pad.mode",
        "disabled, recorded or enforced; did you mean 'enforced'?",
    ),
    ("uplink:", "log:\nuplink:", 19, "log", "has no keys below it"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "words"), TYPOS, ids=[f"{t[3]}-{t[2]}" for t in TYPOS])
def test_typo_is_told_with_line_field_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, field: str, words: str
) -> None:
    assert old in GOOD
    error = problems_of(tmp_path, GOOD.replace(old, new, 1))
    assert [(problem.line, problem.field) for problem in error.problems] == [(line, field)]
    assert str(error).startswith(f"{tmp_path / 'terminal.yaml'}:{line}: {field}: ")
    assert words in str(error)


FORMS = [
    ("terminal:\n\tid: a\n", 2, "is indented with a tab; use spaces"),
    ("terminal:\n  id: a\n   site: b\n", 3, "indented deeper than the one above"),
    ("terminal:\n  id: a\n site: b\n", 3, "is indented differently"),
    ("terminal:\n  place: Balai: Desa\n", 2, "put text with `: ` in quotes"),
    ("terminal:\n  id: 'a\n", 3, "a quote is opened and not closed"),
    ("terminal:\n  id a\n  site: b\n", 3, "indented deeper than the one above"),
    ("leds:\n  pins: {left: 1\nstore: 1\n", 3, "not closed"),
    ("terminal:\n  id: *nobody\n", 2, "no `&name` defines"),
    ("terminal:\n  place: @home\n", 2, "put the value in quotes"),
    ("a: 1\n---\nb: 2\n", 2, "begins a second document"),
    ("a: !!python/object:os.system {}\n", 1, "has an unknown `!tag`"),
    ("- a\n- b\n", 1, "holds a list, not sections"),
    ("just words\n", 1, "holds a single value, not sections"),
    ("", 1, "the file is empty; copy config/terminal.yaml"),
    ("# only a comment\n", 1, "the file is empty"),
    ("a: &a\n  b: *a\n", 1, "refers to itself"),
    ("a: 1\nb: \x07\n", 2, "holds a character that text can't hold"),
]


@pytest.mark.parametrize(("text", "line", "words"), FORMS, ids=[form[2][:24] for form in FORMS])
def test_what_is_not_yaml_is_told_at_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    error = problems_of(tmp_path, text)
    assert [problem.line for problem in error.problems] == [line], str(error)
    assert words in str(error)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD
    for old, new, *_ in (TYPOS[2], TYPOS[7], TYPOS[15], TYPOS[19]):
        text = text.replace(old, new, 1)
    error = problems_of(tmp_path, text)
    assert [problem.field for problem in error.problems] == [
        "terminal.id",
        "camera.driver",
        "printer.host",
        "uplink.backoff_min_s",
    ]
    assert len(str(error).splitlines()) == 4


def test_duplicate_keys_are_refused_even_when_all_else_is_right(tmp_path: Path) -> None:
    error = problems_of(
        tmp_path, GOOD + "log: {level: info}\nterminal: {}\n" + "camera:\n  driver: v4l2\n  driver: file\n"
    )
    assert "terminal.yaml:22: terminal: given twice, first in line 1" in str(error)
    assert "terminal.yaml:25: camera.driver: " not in str(error).split("\n", maxsplit=1)[0]
    assert [problem.line for problem in error.problems if "given twice" in problem.what] == [22, 23, 25]


def test_a_single_duplicate_is_the_only_problem(tmp_path: Path) -> None:
    error = problems_of(tmp_path, GOOD + "  host: other.example\n")
    assert str(error) == (
        f"{tmp_path}/terminal.yaml:21: uplink.host: given twice, first in line 20; keep one of the two lines"
    )


def test_anchors_and_merges_work_and_are_told_at_the_line_they_were_written(tmp_path: Path) -> None:
    text = GOOD.replace("camera:", "camera: &eye").replace("printer:", "printer:\n  <<: *eye")
    error = problems_of(tmp_path, text.replace("device: /dev/video0", "colour: red"))
    assert {(problem.line, problem.field) for problem in error.problems} == {
        (8, "camera.colour"),
        (8, "printer.colour"),
    }
    good = GOOD.replace("id: t-0001", "id: &name t-0001").replace("site: desa-contoh", "site: *name")
    assert load(write(tmp_path, good)).settings.terminal.site == "t-0001"


@pytest.mark.parametrize("typed", ["no", "12:30", "0640", "2026-01-02", "on"])
def test_plain_words_stay_what_was_typed(tmp_path: Path, typed: str) -> None:
    text = GOOD.replace("Balai Desa Contoh", typed)
    assert load(write(tmp_path, text)).settings.terminal.place == typed


@pytest.mark.parametrize("typed", ["yes", "true", "on", "True"])
def test_ways_to_say_true(tmp_path: Path, typed: str) -> None:
    assert (
        load(write(tmp_path, GOOD.replace("driver: v4l2", f"driver: v4l2\n  loop: {typed}"))).settings.camera.loop
        is True
    )


def test_numbers_in_every_notation(tmp_path: Path) -> None:
    text = GOOD + "matching:\n  verification_fmr: 1e-5\n  identification_fpir: .02\npad: {mode: recorded, turns: 0x2}\n"
    settings = load(write(tmp_path, text)).settings
    assert (settings.matching.verification_fmr, settings.matching.identification_fpir) == (1e-5, 0.02)
    assert (settings.pad.mode, settings.pad.turns) == (PadMode.RECORDED, 2)


def test_infinite_and_absent_numbers_are_refused(tmp_path: Path) -> None:
    for number in (".inf", ".nan", "-5"):
        error = problems_of(tmp_path, GOOD + f"session:\n  identify_s: {number}\n")
        assert [(problem.line, problem.field) for problem in error.problems] == [(22, "session.identify_s")], number


def test_missing_file_folder_and_binary_are_told_with_the_remedy(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "absent.yaml", "absent.yaml: no such file; correct the path"),
        (tmp_path, "is a folder; name the settings file in it"),
    ):
        with pytest.raises(SettingsError, match=words):
            load(path)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"terminal:\n  id: \xff\xfe\n")
    with pytest.raises(SettingsError, match=r"binary.yaml:2: is not UTF-8 text; save the file as UTF-8"):
        load(binary)
    binary.write_bytes(b"#" * 1_000_001)
    with pytest.raises(SettingsError, match="larger than 1 MB"):
        load(binary)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_file_is_told_with_the_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    path.chmod(0)
    with pytest.raises(SettingsError, match=r"Permission denied.*chmod a\+r"):
        load(path)


def test_aliases_that_grow_without_end_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 8)]
    error = problems_of(tmp_path, "\n".join(lines) + "\n")
    assert "grows without end" in str(error)


def test_windows_line_ends_and_byte_order_mark_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "terminal.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(path).settings.terminal.id == "t-0001"


def test_a_long_value_is_cut_short_in_the_message(tmp_path: Path) -> None:
    error = problems_of(tmp_path, GOOD.replace("v4l2", "x" * 500))
    assert len(str(error)) < 250 + len(str(tmp_path))


ROOT = Path(__file__).parents[1]


def test_the_settings_page_is_in_step_and_leaves_nothing_unsaid() -> None:
    shown = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert shown == page(Settings, ROOT), "run scripts/make-settings-page"
    for name, section in sections(Settings):
        for key, setting in section.model_fields.items():
            if name and not any(inner == f"{name}.{key}" for inner, _ in sections(Settings)):
                assert f"| `{key}` |" in shown
                assert setting.description, f"{name}.{key} has no description"


def test_every_duration_and_length_says_its_unit_in_its_name_and_has_bounds() -> None:
    for name, section in sections(Settings):
        for key, setting in section.model_fields.items():
            if setting.annotation in (int, float):
                assert setting.metadata, f"{name}.{key} has no bounds"


def test_other_yaml_readers_see_the_same_content(tmp_path: Path) -> None:
    """Our reading of plain scalars differs from YAML 1.1 only in words that our shipped files don't use."""
    for shipped in sorted((ROOT / "config").glob("terminal*.yaml")):
        loaded = load(shipped)
        standard = yaml.safe_load(shipped.read_text("utf-8"))
        assert standard["terminal"]["id"] == loaded.settings.terminal.id
