"""The barcode reader's thread on a pseudo-terminal: lines come through whole, and no fault ends it."""

from __future__ import annotations

import os
import pty
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import Part
from edge_agent.devices import token_reader
from edge_agent.devices.token_reader import LINE_MAX_BYTES, TokenReader, open_reader
from edge_agent.ports import TokenReaderError
from edge_agent.settings import TokenSettings

WITHIN_S = 10.0
CODE = "AT1:" + "7WE" * 40 + " $%*+-./:"


def wait(condition: Callable[[], object], what: str) -> None:
    until_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < until_s, f"waited in vain for {what}"
        time.sleep(0.01)


class Port:
    """A reader on a cable: `path` is what the terminal opens. It can be unplugged and plugged in again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ttyACM0"
        self._ends: tuple[int, int] | None = None

    def plug_in(self) -> None:
        self._ends = pty.openpty()
        self.path.symlink_to(os.ttyname(self._ends[1]))

    def scan(self, sent: bytes) -> None:
        assert self._ends is not None
        os.write(self._ends[0], sent)

    def unplug(self) -> None:
        if self._ends is not None:
            self.path.unlink()
            for end in self._ends:
                os.close(end)
            self._ends = None


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    port = Port(tmp_path)
    yield port
    port.unplug()


@contextmanager
def listening(
    port: Port, heard: list[str], told: list[PartFailed | PartRecovered] | None = None
) -> Iterator[TokenReader]:
    report = ([] if told is None else told).append
    reader = TokenReader(TokenSettings(reader="serial", device=str(port.path)), heard.append, report)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()
        assert reader.join(WITHIN_S), "the thread did not end"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b""], ids=["CR", "LF", "CRLF", "a pause"])
def test_each_scan_is_one_text_however_it_ends(port: Port, end: bytes) -> None:
    heard: list[str] = []
    port.plug_in()
    with listening(port, heard):
        time.sleep(0.2)  # what is sent before the port is opened is thrown away
        for count in (1, 2):
            port.scan(CODE.encode() + end)
            wait(lambda count=count: len(heard) == count, "a text")  # type: ignore[misc]
    assert heard == [CODE, CODE]


def test_bytes_in_pieces_are_put_together_and_control_characters_are_text(port: Port) -> None:
    heard: list[str] = []
    port.plug_in()
    with listening(port, heard):
        time.sleep(0.2)
        for piece in (b"AT1:7WE", b"\x03\x1a\x04", b"7WE\r"):
            port.scan(piece)
            time.sleep(0.05)
        wait(lambda: heard, "a text")
    assert heard == ["AT1:7WE\x03\x1a\x047WE"]


def test_rubbish_without_an_end_is_dropped(port: Port) -> None:
    heard: list[str] = []
    port.plug_in()
    with listening(port, heard):
        time.sleep(0.2)
        for _ in range(LINE_MAX_BYTES // 1000 + 2):
            port.scan(b"\xff" * 1000)
            time.sleep(0.02)
        port.scan(b"\r" + CODE.encode() + b"\r")
        wait(lambda: CODE in heard, "the code after it")
    assert all(len(text) <= LINE_MAX_BYTES for text in heard)


def test_unplugged_and_plugged_in_again(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_reader, "RETRY_S", (0.05,))
    heard: list[str] = []
    told: list[PartFailed | PartRecovered] = []
    with listening(port, heard, told):
        wait(lambda: told, "a word on the missing device")
        monkeypatch.setattr(token_reader, "STEADY_S", 0.1)
        port.plug_in()
        wait(lambda: len(told) == 2, "the device, though nothing was scanned")
        monkeypatch.setattr(token_reader, "STEADY_S", 1000.0)
        port.unplug()
        wait(lambda: len(told) == 3, "a word on the unplugged device")
        port.plug_in()
        time.sleep(0.2)
        with suppress(OSError):
            port.scan(CODE.encode() + b"\r")
        wait(lambda: heard, "a text after that")
        wait(lambda: len(told) == 4, "the device again, at the first text")
    assert [type(one) for one in told] == [PartFailed, PartRecovered] * 2
    assert {one.part for one in told} == {Part.TOKEN_READER}
    assert CODE not in str(told)
    first, unplugged = (one.problem for one in told if isinstance(one, PartFailed))
    assert f"{port.path}: No such file or directory; " in first
    assert "/dev/serial/by-id" in first
    assert str(port.path) in unplugged


def test_a_loose_contact_is_told_once(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_reader, "RETRY_S", (0.01,))
    opened = []

    def open_and_lose(_: TokenSettings) -> int:
        reading, writing = os.pipe()
        os.close(writing)  # reads as an end at once, like a device that is gone
        opened.append(reading)
        return reading

    monkeypatch.setattr(token_reader, "open_reader", open_and_lose)
    told: list[PartFailed | PartRecovered] = []
    with listening(port, [], told):
        wait(lambda: len(opened) > 5, "several tries")
    assert [type(one) for one in told] == [PartFailed]


def test_whoever_asks_for_the_device_is_told_what_to_do(port: Port) -> None:
    settings = TokenSettings(reader="serial", device=str(port.path), camera=False)
    with pytest.raises(TokenReaderError, match=r"ttyACM0: No such file .*; check the cable; .*booklet$"):
        open_reader(settings)
    port.plug_in()
    os.close(open_reader(settings))
