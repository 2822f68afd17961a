"""The decrypted gallery, held only while people can be served: wiped when the terminal closes, read when it opens.

Rules: main thread only. A terminal that can't read its gallery again is closed, and tries until it can; it never goes
on as if nobody were enrolled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import structlog

from edge_agent.core.messages import Event, PartFailed, PartRecovered
from edge_agent.core.model import Gallery, Part
from edge_agent.core.rules import Rules
from edge_agent.ports import StoreError

RETRY_S = 5.0

_NOBODY = Gallery((), np.zeros((0, 0), np.float32))
_log = structlog.get_logger("gallery")


class GalleryHold:
    """Keeps a session's rules, with the gallery or without. load: reads and decrypts it; may raise StoreError."""

    def __init__(self, rules: Rules, load: Callable[[], Gallery]) -> None:
        self.rules = rules
        self._load = load
        self._held = True
        self._problem = ""
        self._retry_s = 0.0

    def follow(self, closed: bool, now_s: float) -> list[Event]:
        """closed: whether the terminal is out of service. What the session has to be told, mostly nothing."""
        if closed and self._held:
            self.rules.gallery.templates.fill(0.0)
            self.rules = replace(self.rules, gallery=_NOBODY)
            self._held = False
            _log.info("gallery_wiped")
        elif not self._held and (not closed or (self._problem and now_s >= self._retry_s)):
            return self._restore(closed, now_s)
        return []

    def _restore(self, closed: bool, now_s: float) -> list[Event]:
        try:
            gallery = self._load()
        except StoreError as error:
            self._retry_s = now_s + RETRY_S
            known, self._problem = self._problem, str(error)
            return [] if closed and known == self._problem else [PartFailed(Part.STORE, self._problem)]
        self.rules = replace(self.rules, gallery=gallery)
        self._held = True
        _log.info("gallery_read", templates=len(gallery))
        if not self._problem:
            return []
        self._problem = ""
        return [PartRecovered(Part.STORE)]
