"""The reference centre: it keeps the books of who may redeem what, and answers terminals that ask."""
