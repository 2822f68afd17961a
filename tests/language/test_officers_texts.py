"""Officers' slips and cards use every text that is there for them, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.command_card import COMMANDS, command_key
from edge_agent.core.act_slip import compose_act
from edge_agent.core.officer_acts import Act, ActProblem
from edge_agent.language.phrases import LANGUAGES, CataloguePhrases
from tests.core.receipts import TERMINAL, printable_reasons
from tests.core.test_act_slip import DAY_END, TOTALS, VOIDED, receipt
from tests.language.test_phrases import OFFICERS_KEYS, Listening

REFUSALS = [receipt(act, problem=problem) for act in Act for problem in ActProblem]
REASONS = tuple((reason.value, 1) for reason in printable_reasons())
DONE = [
    receipt(Act.VOID, copy=VOIDED, second_officer_id="o2"),
    receipt(Act.REFERRAL_RESOLVED),
    replace(DAY_END, totals=replace(TOTALS, referred=REASONS)),
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_officers_use_every_text_and_no_other(language: str) -> None:
    phrases = Listening(language)
    for act in (*REFUSALS, *DONE):
        compose_act(act, TERMINAL, phrases)
    cards = {command_key(command) for command in COMMANDS}
    cards |= {f"command.how.{command.act.value}" for command in COMMANDS} | {"badge.title"}
    asked = {key for key in phrases.asked if key.startswith(OFFICERS_KEYS)}
    assert asked | cards == {key for key in phrases.placeholders if key.startswith(OFFICERS_KEYS)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_cards_and_no_two_problems_read_the_same(language: str) -> None:
    phrases = CataloguePhrases(language)
    for keys in (
        [command_key(command) for command in COMMANDS],
        [f"officer.{problem.value}" for problem in ActProblem],
        [f"act.name.{act.value}" for act in Act],
    ):
        texts = [phrases.text(key) for key in keys]
        assert len(set(texts)) == len(texts)
