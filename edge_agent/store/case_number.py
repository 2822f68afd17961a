"""Short numbers that a person can read out on the telephone: K7Q4-00CX.

Rules: Crockford's base 32 (no I, L, O, U). Four characters name the terminal, at least three the ledger sequence, the
last one checks: any single wrong character is found, and nearly all swaps (ISO 7064 hybrid system with modulus 32).
"""

from __future__ import annotations

import hashlib

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AS_HEARD = str.maketrans("OILoil", "011011")
_TERMINAL_CHARACTERS = 4


def case_number(terminal_id: str, sequence: int) -> str:
    """The number of the outcome that ledger record `sequence` of this terminal proves."""
    digits = ""
    while sequence or len(digits) < 3:
        sequence, digit = divmod(sequence, 32)
        digits = ALPHABET[digit] + digits
    code = terminal_code(terminal_id)
    return f"{code}-{digits}{_check_character(code + digits)}"


def terminal_code(terminal_id: str) -> str:
    """Four characters from the SHA-256 of the terminal's id."""
    number = int.from_bytes(hashlib.sha256(terminal_id.encode()).digest()[:3], "big")
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in range(_TERMINAL_CHARACTERS))


def is_case_number(text: str) -> bool:
    """Whether the check character fits; accepts lower case, missing dash and letters taken for digits (O, I, L)."""
    characters = text.strip().replace("-", "").translate(_AS_HEARD).upper()
    if len(characters) < _TERMINAL_CHARACTERS + 4 or any(c not in ALPHABET for c in characters):
        return False
    return _check_character(characters[:-1]) == characters[-1]


def _check_character(characters: str) -> str:
    product = 32
    for character in characters:
        product = ((product + ALPHABET.index(character)) % 32 or 32) * 2 % 33
    return ALPHABET[(33 - product) % 32]
