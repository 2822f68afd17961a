"""A whole distribution day in virtual time: the real session, store, recorder, slips and printer driver, with people,
officers, a network and accidents that are models. `docs/simulate-day.md` says what it shows and what it can't.
"""
