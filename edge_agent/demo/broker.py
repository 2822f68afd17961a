"""A mosquitto on a free port, and a mosquitto_sub as an independent witness of what reaches it."""

from __future__ import annotations

import getpass
import json
import queue
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from edge_agent.ports import TerminalError

_START_WITHIN_S = 10.0
_SBIN = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"


class DemoError(TerminalError):
    """The demo can't be set up; the text says what is missing and how to get it."""


@dataclass(frozen=True)
class Received:
    """One message as the subscriber saw it. payload: parsed JSON."""

    topic: str
    payload: dict[str, Any]


class DemoBroker:
    """A broker and its subscriber, living in `folder`; a context manager that ends both."""

    def __init__(self, folder: Path, topic_prefix: str) -> None:
        self._folder = folder
        self._prefix = topic_prefix
        self._broker = _find("mosquitto")
        self._subscriber = _find("mosquitto_sub")
        self._processes: list[subprocess.Popen[str]] = []
        self.port = _free_port()
        self.received: queue.SimpleQueue[Received] = queue.SimpleQueue()

    def __enter__(self) -> DemoBroker:
        config = self._folder / "mosquitto.conf"
        lines = (f"listener {self.port} 127.0.0.1", "allow_anonymous true", f"user {getpass.getuser()}")
        config.write_text("\n".join((*lines, "persistence false", "")), encoding="utf-8")
        with (self._folder / "mosquitto.log").open("w", encoding="utf-8") as log:
            broker = subprocess.Popen([self._broker, "-c", str(config)], stdout=log, stderr=log, text=True)
        self._processes.append(broker)
        try:
            self._await_listening(broker)
            self._subscribe()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def _await_listening(self, broker: subprocess.Popen[str]) -> None:
        until_s = time.monotonic() + _START_WITHIN_S
        while time.monotonic() < until_s and broker.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise DemoError(f"mosquitto did not start on port {self.port}; see {self._folder / 'mosquitto.log'}")

    def _subscribe(self) -> None:
        topic = f"{self._prefix}/#"
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-V", "mqttv5"]
        subscriber = subprocess.Popen(
            [self._subscriber, *address, "-q", "1", "-t", topic, "-F", "%t %p"], stdout=subprocess.PIPE, text=True
        )
        self._processes.append(subscriber)
        if subscriber.stdout is None:
            raise AssertionError("a pipe was asked for")
        threading.Thread(target=self._read, args=(subscriber.stdout,), name="subscriber", daemon=True).start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            topic, _, payload = line.partition(" ")
            self.received.put(Received(topic, json.loads(payload)))

    def _end(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(10)


def _find(program: str) -> str:
    path = shutil.which(program) or shutil.which(program, path=_SBIN)
    if path is None:
        package = "mosquitto" if program == "mosquitto" else "mosquitto-clients"
        raise DemoError(f"{program} is not installed; run scripts/setup, or: sudo apt install {package}")
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
