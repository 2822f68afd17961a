"""Proof for whoever holds a slip: is it genuine, does the ledger say the same, was it shown before. `docs/proof.md`."""
