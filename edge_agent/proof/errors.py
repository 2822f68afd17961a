"""What stops a check before there is a verdict."""

from __future__ import annotations

from edge_agent.ports import TerminalError


class ProofError(TerminalError):
    """A slip can't be checked with what was given; the text says what to give instead."""
