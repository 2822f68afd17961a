"""Where log lines go and what they may say: one line a happening, on standard error, JSON under systemd.

Rules: a log never carries a name, a national number, an image or an embedding. Keys that could are withheld, whatever
they hold; values are passed on only if they are plain; a traceback never shows local variables. Warnings, the logging
of libraries and uncaught exceptions of any thread go the same way.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import TracebackType
from typing import Any, TextIO

import structlog

from edge_agent.settings import LogSettings

WITHHELD_KEYS = frozenset({"name", "display_name", "nik", "template", "probe", "embedding", "image"})
"""Denied as a whole key or as one of its words: `subject_name`, `templates`, `image_png`."""

WITHHELD = "[withheld]"
_NATIONAL_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{16}(?![0-9A-Za-z])")
"""A NIK has 16 digits."""
_MOST_NUMBERS = 16
"""A longer row of numbers is withheld: it could be an embedding."""
_HARMLESS_KEYS = frozenset({"event", "level", "logger", "timestamp", "monotonic_s"})

EventDict = MutableMapping[str, Any]


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Set logging up for this process; may be called again. stream: standard error unless given."""
    out = stream if stream is not None else sys.stderr
    as_json = settings.format == "json" or (settings.format == "auto" and not _for_people(out))
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        stamp,
    ]
    handler = logging.StreamHandler(out)
    handler.addFilter(_withhold_arguments)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                withhold,
                *_renderers(as_json, out),
            ],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.level.upper())
    logging.getLogger("PIL").setLevel(logging.INFO)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    _catch_uncaught()


def stamp(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add `timestamp` (UTC, milliseconds) and `monotonic_s`, which the clock being set doesn't move."""
    event["timestamp"] = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event["monotonic_s"] = round(time.monotonic(), 3)
    return event


def withhold(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace what a log may not say; never raises, so that no line is lost over one value."""
    return {key: value if key in _HARMLESS_KEYS - {"event"} else _plain(key, value) for key, value in event.items()}


def _plain(key: str, value: object) -> object:
    if _is_withheld_key(key):
        return WITHHELD
    if value is None or isinstance(value, bool | int | float):
        return WITHHELD if isinstance(value, int) and _NATIONAL_NUMBER.fullmatch(str(value)) else value
    if isinstance(value, Enum):
        return _plain(key, value.value)
    if isinstance(value, str | PurePath | Decimal | date | BaseException):
        return _NATIONAL_NUMBER.sub(WITHHELD, str(value))
    if isinstance(value, Mapping):
        return {str(inner): _plain(str(inner), one) for inner, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        if len(value) > _MOST_NUMBERS and all(isinstance(one, int | float) for one in value):
            return f"{WITHHELD} ({len(value)} numbers)"
        return [_plain("", one) for one in value]
    # Arrays, bytes and objects whose repr might hold any of these.
    return f"{WITHHELD} ({type(value).__name__})"


def _is_withheld_key(key: str) -> bool:
    lowered = key.lower()
    words = {word.removesuffix("s") for word in re.split(r"[^a-z]+", lowered)}
    return lowered in WITHHELD_KEYS or bool(words & WITHHELD_KEYS)


def _withhold_arguments(record: logging.LogRecord) -> bool:
    """For libraries' own logging: an array never becomes part of the text."""
    if isinstance(record.args, tuple):
        record.args = tuple(_argument(one) for one in record.args)
    elif isinstance(record.args, Mapping):
        record.args = {key: _argument(one) for key, one in record.args.items()}
    return True


def _argument(value: object) -> object:
    return f"{WITHHELD} ({type(value).__name__})" if hasattr(value, "__array__") else value


def _for_people(stream: TextIO) -> bool:
    return "JOURNAL_STREAM" not in os.environ and stream.isatty()


def _is_the_journal(stream: TextIO) -> bool:
    """Whether this very stream is connected to the journal, by device and inode (systemd.exec(5), $JOURNAL_STREAM)."""
    try:
        seen = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{seen.st_dev}:{seen.st_ino}"


def _renderers(as_json: bool, stream: TextIO) -> list[structlog.typing.Processor]:
    if not as_json:
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain, sort_keys=False)]
    return [_journal_line if _is_the_journal(stream) else _JSON]


_JSON = structlog.processors.JSONRenderer(ensure_ascii=False)
_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


def _journal_line(logger: object, method: str, event: EventDict) -> str:
    """`<3>{…}`: journald takes the prefix off and files the line under that priority (sd-daemon(3))."""
    return f"<{_PRIORITY.get(str(event.get('level')), 6)}>{_JSON(logger, method, event)!s}"


def _catch_uncaught() -> None:
    log = structlog.get_logger("uncaught")

    def of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.critical("process_died", exc_info=(kind, error, trace))

    def of_thread(died: threading.ExceptHookArgs) -> None:
        thread = died.thread.name if died.thread else "unknown"
        if died.exc_value is not None:
            log.critical("thread_died", thread=thread, exc_info=(died.exc_type, died.exc_value, died.exc_traceback))

    def unraisable(seen: Any) -> None:
        error = seen.exc_value
        log.error(
            "error_ignored", where=type(seen.object).__name__, exc_info=(seen.exc_type, error, seen.exc_traceback)
        )

    sys.excepthook = of_process
    threading.excepthook = of_thread
    sys.unraisablehook = unraisable
