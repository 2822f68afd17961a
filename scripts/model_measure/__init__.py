"""Measures an embedder's error rates on labelled photographs; runs on a developer's machine, never on a terminal."""
