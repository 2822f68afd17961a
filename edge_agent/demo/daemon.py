"""The real daemon as a child process: its log lines as they come, and a clean end."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any

STOP_WITHIN_S = 40.0


class Daemon:
    """`edge-agent run` with these settings. records: its log as parsed JSON; everything also goes to `log`."""

    def __init__(self, config: Path, log: Path) -> None:
        self._command = [sys.executable, "-m", "edge_agent", "run", "--config", str(config)]
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.records: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def __enter__(self) -> Daemon:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        if self._process.stderr is None:
            raise AssertionError("a pipe was asked for")
        self._reader = threading.Thread(target=self._read, args=(self._process.stderr,), name="daemon-log", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id; 0 before it was started."""
        return self._process.pid if self._process is not None else 0

    def stop(self) -> int:
        """SIGTERM, wait, and the exit status; a daemon that does not end within STOP_WITHIN_S is killed (status -9)."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if self._reader is not None:
            self._reader.join(5)
        return status

    def _read(self, lines: IO[str]) -> None:
        with self._log.open("w", encoding="utf-8") as log:
            for line in lines:
                log.write(line)
                log.flush()
                try:
                    record = json.loads(line)
                except ValueError:
                    # A crash's traceback or a library's own words: kept in the file, and told.
                    record = {"event": "not_json", "text": line.rstrip()}
                self.records.put(record)
