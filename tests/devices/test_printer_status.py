from __future__ import annotations

import pytest

from edge_agent.core.model import Paper
from edge_agent.devices import printer_status as escpos

WELL = 0x12


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_question_is_dle_eot(n: int) -> None:
    assert escpos.realtime_request(n) == bytes((0x10, 0x04, n))


def test_only_bytes_with_the_fixed_bits_can_be_answers() -> None:
    answers = [byte for byte in range(256) if escpos.is_realtime(byte)]
    assert len(answers) == 16
    assert all(byte & 0x93 == 0x12 for byte in answers)
    for flow_control_or_noise in (0x11, 0x13, 0x00, 0xFF, 0x37):
        assert not escpos.is_realtime(flow_control_or_noise)
    assert not any(escpos.is_realtime(byte) and escpos.is_queued(byte) for byte in range(256))


@pytest.mark.parametrize(
    ("answers", "online", "paper", "cover_open", "error", "says"),
    [
        ((WELL, WELL, WELL, WELL), True, Paper.OK, False, False, "12 12 12 12"),
        ((0x16, WELL, WELL, WELL), True, Paper.OK, False, False, "16"),
        ((WELL, WELL, WELL, 0x1E), True, Paper.NEAR_END, False, False, "nearly at its end"),
        ((0x1A, 0x32, WELL, 0x7E), False, Paper.OUT, False, False, "new roll"),
        ((WELL, WELL, WELL, 0x72), True, Paper.OUT, False, False, "new roll"),
        ((0x1A, 0x32, WELL, WELL), False, Paper.OUT, False, False, "new roll"),
        ((0x1A, 0x16, WELL, WELL), False, Paper.OK, True, False, "close it"),
        ((0x1A, 0x1A, WELL, WELL), False, Paper.OK, False, False, "FEED button is held"),
        ((0x1A, 0x52, 0x1A, WELL), False, Paper.OK, False, True, "cutter"),
        ((0x1A, 0x52, 0x32, WELL), False, Paper.OK, False, True, "unrecoverable"),
        ((0x1A, 0x52, 0x52, WELL), False, Paper.OK, False, True, "too hot"),
        ((0x1A, WELL, WELL, WELL), False, Paper.OK, False, False, "no cause given"),
    ],
)
def test_bits_become_a_status_with_a_remedy(
    answers: tuple[int, int, int, int], online: bool, paper: Paper, cover_open: bool, error: bool, says: str
) -> None:
    status = escpos.interpret(*answers)
    assert (status.online, status.paper, status.cover_open, status.error) == (online, paper, cover_open, error)
    assert says in status.detail
    assert status.can_print == (online and paper is not Paper.OUT and not cover_open and not error)
