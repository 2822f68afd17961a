"""The simulated LEDs: history, threads, drawing."""

from __future__ import annotations

import io
import re
import threading

from edge_agent.core.model import Signal
from edge_agent.devices.led_patterns import recognise
from edge_agent.devices.led_simulated import SimulatedLeds, draw


class Screen(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_history_holds_changes_only_and_reads_back() -> None:
    leds = SimulatedLeds()
    leds.show(Signal.TURN_LEFT, 5.0)
    for tick in range(9):
        leds.tick(5.0 + tick * 0.1)
    left, dark = frozenset({"left"}), frozenset()
    assert [lit for _, lit in leds.history()] == [left, dark, left, dark, left]
    assert recognise(leds.history(), 5.8) is Signal.TURN_LEFT


def test_history_is_bounded_and_keeps_the_newest() -> None:
    leds = SimulatedLeds()
    leds.show(Signal.TURN_RIGHT, 0.0)
    for tick in range(10_000):
        leds.tick(tick * 0.2)
    assert len(leds.history()) == 4096
    assert leds.history()[-1][0] == 9_999 * 0.2


def test_another_thread_may_watch_while_the_leds_change() -> None:
    leds = SimulatedLeds()
    leds.show(Signal.TURN_LEFT, 0.0)
    done, problems = threading.Event(), []

    def watch() -> None:
        try:
            while not done.is_set():
                times_s = [at_s for at_s, _ in leds.history()]
                if times_s != sorted(times_s):
                    problems.append(times_s)
                leds.lit()
        except RuntimeError as problem:
            problems.append(problem)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for tick in range(5_000):
        leds.tick(tick * 0.2)
    done.set()
    watcher.join(timeout=10)
    assert not watcher.is_alive()
    assert problems == []


def test_draws_one_line_in_place_with_names_and_symbols() -> None:
    screen = Screen()
    leds = SimulatedLeds(screen)
    leds.show(Signal.GIVEN, 0.0)
    leds.tick(0.0)
    leds.tick(0.1)
    leds.close()
    drawn = screen.getvalue()
    assert drawn.count("\r\x1b[K") == 2
    assert drawn.endswith("\n")
    assert drawn.count("\n") == 1
    first = re.sub(r"\x1b\[[0-9;]*[mK]", "", drawn.split("\r")[1])
    assert first == "○ left  ○ right  ● GREEN  ○ yellow  ○ red"


def test_draws_nothing_into_a_file() -> None:
    stream = io.StringIO()
    leds = SimulatedLeds(stream)
    leds.show(Signal.GIVEN, 0.0)
    leds.tick(0.0)
    leds.close()
    assert stream.getvalue() == ""


def test_a_terminal_without_unicode_gets_plain_symbols() -> None:
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", draw(frozenset({"red"}), unicode=False))
    assert drawn == ". left  . right  . green  . yellow  * RED"
