"""Builds the two models under ``models/`` from packages on PyPI; runs in its own environment, never on a terminal."""
