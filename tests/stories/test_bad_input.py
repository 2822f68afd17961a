"""Every kind of bad input at a whole terminal: what log, LEDs and centre are told, and that nothing is lost.

The daemon is a process of its own and the broker a real mosquitto; a video of the portrait stands in for the person.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.brokers import Broker, Subscriber, needs_mosquitto, wait_until
from tests.stories.daemon import FPS, TERMINAL, Ground, Story, begin, film, lay_ground, signed_roster

pytestmark = [needs_mosquitto, pytest.mark.mosquitto, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return lay_ground(tmp_path_factory.mktemp("ground"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def centre(broker: Broker) -> Iterator[Subscriber]:
    with Subscriber(broker) as listening:
        yield listening


@pytest.fixture
def manager(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd is told."""
    path = tmp_path_factory.mktemp("n") / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield listening


def told_status(manager: socket.socket) -> str:
    """The next status line."""
    while not (said := manager.recv(65_536).decode()).startswith("STATUS="):
        continue
    return said.removeprefix("STATUS=")


def test_an_unreadable_camera_closes_the_terminal_until_it_works(
    ground: Ground, broker: Broker, centre: Subscriber, tmp_path: Path
) -> None:
    story = begin(ground, tmp_path, broker, centre)
    footage = tmp_path / "footage.avi"
    good = footage.read_bytes()
    footage.write_text("no video")
    with story:
        problem = str(story.await_log("part_failed", part="camera")["problem"])
        assert str(footage) in problem
        assert "give an MP4" in problem
        story.await_log("signal", signal="out_of_service")
        assert "ready" not in story.signals(), "closed from the start, nobody was invited"
        story.await_told("events", type="aid.terminal.part.failed.v1", part="camera", problem=problem)
        wait_until(lambda: story.told("telemetry")[-1]["led_signal"] == "out_of_service", "the LEDs in telemetry")
        assert not story.told("telemetry")[-1]["parts"]["camera"]["working"]
        footage.write_bytes(good)
        story.await_log("part_recovered", part="camera")
        story.await_log("signal", signal="given")
        assert story.stop() == 0
    story.check_nothing_lost()


def test_a_video_that_ends_closes_the_terminal_and_says_how_to_go_on(
    ground: Ground, broker: Broker, centre: Subscriber, tmp_path: Path
) -> None:
    story = begin(ground, tmp_path, broker, centre, camera={"loop": False})
    film(tmp_path / "footage.avi", (1.5, False))
    with story:
        story.await_log("signal", signal="ready")
        problem = str(story.await_log("part_failed", part="camera")["problem"])
        assert f"{tmp_path / 'footage.avi'}: the recording ended after {1.5 * FPS:.0f} frames" in problem
        assert "camera.loop: true" in problem
        story.await_log("signal", signal="out_of_service")
        story.await_told("events", type="aid.terminal.part.failed.v1", part="camera")
        assert story.running
        assert story.stop() == 0
    story.check_nothing_lost()


def test_a_printer_unplugged_mid_slip_leaves_the_claim_standing_and_known_as_unprinted(
    ground: Ground, broker: Broker, centre: Subscriber, tmp_path: Path
) -> None:
    script = tmp_path / "printer.yaml"
    script.write_text("speed_mm_s: 200\nfaults: [{fault: unplugged, slip: 1, after_mm: 20}]\n")
    story = begin(ground, tmp_path, broker, centre, printer={"script": script.name})
    with story:
        story.await_log("signal", signal="take_slip_failed")
        assert "unplugged" in str(story.await_log("slip_failed")["problem"])
        assert story.await_log("session_ended")["outcome"] == "GIVEN"
        story.await_log("signal", signal="out_of_service")
        assert "unplugged" in str(story.await_log("part_failed", part="printer")["problem"])
        case = story.await_told("events", type="aid.claim.recorded.v1")["data"]["case_number"]
        story.await_told("events", type="aid.slip.failed.v1", case_number=case)
        story.await_told("events", type="aid.terminal.part.failed.v1", part="printer")
        assert story.stop() == 0
    story.check_nothing_lost()
    script.write_text("speed_mm_s: 200\n")
    with story:
        assert story.await_log("slip_unprinted")["case"] == case
        # She comes again: told of her claim, given nothing twice.
        story.await_log("session_ended", outcome="NOT_ENTITLED", reason="already_claimed")
        assert story.stop() == 0
    story.check_nothing_lost()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root to mount a small tmpfs; tests/store/test_disk_full.py covers what the store does")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_gives_nothing_and_loses_nothing(
    ground: Ground, broker: Broker, centre: Subscriber, tmp_path: Path, small_disk: Path
) -> None:
    story = begin(ground, tmp_path, broker, centre, store={"path": "disk/terminal.db"})
    shutil.copy(tmp_path / "data/terminal.db", small_disk)
    (tmp_path / "data").rename(tmp_path / "unused")
    (tmp_path / "data").symlink_to(small_disk)
    ballast = small_disk / "ballast"
    with story:
        story.await_log("signal", signal="ready")
        low = story.await_told("events", type="aid.terminal.disk.low.v1")
        assert "store.disk_free_min_mb is 50; free space" in low["data"]["problem"]
        fill(ballast)
        problem = str(story.await_log("part_failed", part="store")["problem"])
        assert str(small_disk / "terminal.db") in problem
        assert "the disk" in problem
        assert "nothing was recorded" in problem
        ended = story.await_log("session_ended")
        assert (ended["outcome"], ended["reason"]) == ("REFERRED", "terminal_fault")
        story.await_log("signal", signal="out_of_service")
        wait_until(lambda: not story.told("telemetry")[-1]["parts"]["store"]["working"], "telemetry of the full disk")
        assert not list((tmp_path / "slips").glob("*.txt")), "nothing may be printed that is not on record"
        ballast.unlink()
        story.await_log("part_recovered", part="store")
        story.await_told("events", type="aid.session.ended.v1", session=ended["session"], reason="terminal_fault")
        story.await_told("events", type="aid.terminal.part.failed.v1", part="store")
        story.await_told("events", type="aid.terminal.part.recovered.v1", part="store")
        story.await_log("session_ended", outcome="GIVEN")
        assert story.stop() == 0
    story.check_nothing_lost()


def fill(ballast: Path) -> None:
    """Until not a byte is left."""
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def corrupt(story: Story) -> None:
    """Rubbish over the pages behind the first."""
    with closing(sqlite3.connect(story.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with story.database.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * 16_384)


def use_another_key(story: Story) -> None:
    (story.folder / "keys/template.key").write_bytes(bytes(range(32)))


BROKEN_STARTS = [
    pytest.param(corrupt, ["data/terminal.db: ", "damaged", "not touched", "new terminal.id", "twice"], id="corrupt"),
    pytest.param(use_another_key, ["data/terminal.db: ", "store.template_key; put the old key back"], id="wrong-key"),
]


@pytest.mark.parametrize(("damage", "words"), BROKEN_STARTS)
def test_a_terminal_that_can_not_start_shows_it_and_touches_nothing(
    ground: Ground,
    broker: Broker,
    centre: Subscriber,
    tmp_path: Path,
    manager: socket.socket,
    damage: Callable[[Story], None],
    words: list[str],
) -> None:
    story = begin(ground, tmp_path, broker, centre)
    good = {path: path.read_bytes() for path in (story.database, tmp_path / "keys/template.key")}
    damage(story)
    before = story.database.read_bytes()
    with story:
        problem = str(story.await_log("start_failed")["problem"])
        assert all(word in problem for word in words), problem
        story.await_log("signal", signal="out_of_service")
        assert story.await_told("status", state="failed")["problem"][:100] == problem[:100]
        assert told_status(manager).startswith("can't start: " + problem[:100])
        assert story.running, "the red light stays for a while"
        assert story.stop() == 2
    assert "Traceback" not in story.raw_log()
    assert story.database.read_bytes() == before
    for path, content in good.items():
        path.write_bytes(content)
    with story:
        story.await_log("serving")
        story.await_told("status", state="online")
        assert story.stop() == 0
    story.check_nothing_lost()


def test_a_typo_in_the_settings_is_told_with_its_line_and_the_leds_show_it(
    ground: Ground, broker: Broker, centre: Subscriber, tmp_path: Path, manager: socket.socket
) -> None:
    story = begin(ground, tmp_path, broker, centre)
    text = story.config.read_text()
    story.config.write_text(text.replace("probe_frames: 4", "probe_frame: 4"))
    line = text.splitlines().index("  probe_frames: 4") + 1
    with story:
        problem = str(story.await_log("start_failed")["problem"])
        assert problem == f"{story.config}:{line}: session.probe_frame: unknown key; did you mean 'probe_frames'?"
        story.await_log("signal", signal="out_of_service")
        assert told_status(manager) == "can't start: " + problem
        assert story.stop() == 2
    assert "Traceback" not in story.raw_log()


def test_started_by_hand_it_says_why_and_ends_at_once(
    ground: Ground, broker: Broker, centre: Subscriber, tmp_path: Path
) -> None:
    story = begin(ground, tmp_path, broker, centre)
    use_another_key(story)
    with story:
        wait_until(lambda: not story.running, "the daemon's end")
        assert story.stop() == 2
    assert "put the old key back" in story.lines("start_failed")[0]["problem"]
    assert story.signals() == [], "the LEDs may belong to the running service"
    assert story.told("status") == []


def test_a_second_daemon_leaves_the_first_alone(
    ground: Ground, broker: Broker, centre: Subscriber, tmp_path: Path, manager: socket.socket
) -> None:
    first = begin(ground, tmp_path, broker, centre)
    with first:
        first.await_log("serving")
        command = [sys.executable, "-m", "edge_agent", "run", "--config", str(first.config)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 2
        assert "in use by process" in second.stderr
        assert "signal" not in second.stderr
        assert first.stop() == 0
    assert [one["state"] for one in first.told("status")] == ["online", "stopped"]


def test_a_half_written_roster_is_refused_and_the_old_one_serves(
    ground: Ground, broker: Broker, centre: Subscriber, tmp_path: Path
) -> None:
    story = begin(ground, tmp_path, broker, centre)
    whole = signed_roster(ground, 2)
    half = tmp_path / "roster.bin"
    half.write_bytes(whole[: len(whole) // 2])
    command = [sys.executable, "-m", "edge_agent", "roster", "import", str(half), "--config", str(story.config)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert f"{half}: " in refused.stderr
    assert "Traceback" not in refused.stderr
    with story:
        story.await_log("session_ended", outcome="GIVEN")
        assert story.await_told("events", type="aid.claim.recorded.v1")["data"]["roster"]["version"] == 1
        assert story.stop() == 0
    story.check_nothing_lost()


def test_a_broker_that_refuses_costs_nobody_anything_and_gets_everything_later(ground: Ground, tmp_path: Path) -> None:
    passwords = {TERMINAL: "right", "centre": "c"}
    strict = Broker(tmp_path / "strict", passwords=passwords)
    with strict, Subscriber(strict, login=("centre", "c")) as centre:
        refused_then_let_in(begin_with_login(ground, tmp_path, strict, centre))


def begin_with_login(ground: Ground, folder: Path, strict: Broker, centre: Subscriber) -> Story:
    (folder / "password").write_text("wrong\n")
    return begin(ground, folder, strict, centre, uplink={"username": TERMINAL, "password_file": "password"})


def refused_then_let_in(story: Story) -> None:
    with story:
        told = story.await_log("uplink_problem")
        assert told["level"] == "warning"
        assert "check uplink.username and password_file" in str(told["problem"])
        assert story.await_log("part_failed", part="uplink")["problem"] == told["problem"]
        story.await_log("session_ended", outcome="GIVEN")
        assert "out_of_service" not in story.signals()
        assert story.told("events") == []
        with closing(sqlite3.connect(story.database)) as connection:
            waiting = connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
        assert waiting == len(story.records()) > 2
        (story.folder / "password").write_text("right\n")
        story.await_log("part_recovered", part="uplink")
        story.await_told("events", type="aid.claim.recorded.v1")
        story.await_told("events", type="aid.terminal.part.failed.v1", part="uplink")
        assert story.stop() == 0
    story.check_nothing_lost()
