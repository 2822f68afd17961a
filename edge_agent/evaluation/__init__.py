"""Error rates that anyone can repeat: `edge-agent evaluate` runs the product's own path over labelled photographs.

Words are those of ISO/IEC 19795-1; the keys of the reports are documented in `docs/evaluation.md`.
"""
