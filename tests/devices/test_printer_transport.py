from __future__ import annotations

import os
import pty
import socket
import tty
from pathlib import Path

import pytest

from edge_agent.devices.printer_escpos import open_printer
from edge_agent.devices.printer_simulated.device import SimulatedDevice
from edge_agent.devices.printer_simulated.serve import serve_on_pty
from edge_agent.devices.printer_transport import (
    FileTransport,
    NetworkTransport,
    TransportError,
    TransportStalledError,
)
from edge_agent.devices.printer_transport_serial import SerialTransport
from edge_agent.ports import PrinterError
from tests.devices.printing import StandingClock, settings, short_slip


@pytest.mark.parametrize("driver", ["serial", "file"])
def test_a_missing_port_is_offline_with_the_remedy(driver: str, tmp_path: Path) -> None:
    printer = open_printer(settings(driver, device=str(tmp_path / "ttyUSB0")))
    status = printer.status()
    assert not status.online
    assert "ttyUSB0" in status.detail
    assert "check cable and power" in status.detail
    with pytest.raises(PrinterError, match=r"slip short not begun.*ttyUSB0"):
        printer.print_slip(short_slip())
    printer.close()


def test_a_refused_connection_is_offline_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    status = open_printer(settings("network", host="127.0.0.1", port=port)).status()
    assert not status.online
    assert f"127.0.0.1:{port}" in status.detail
    assert "refused" in status.detail


def test_a_printer_that_never_answers_is_offline_after_its_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        printer = open_printer(settings("network", host="127.0.0.1", port=server.getsockname()[1], timeout_s=0.2))
        status = printer.status()
        printer.close()
    assert not status.online
    assert "does not answer" in status.detail
    assert "printer.status: false" in status.detail


def test_a_network_printer_that_takes_nothing_stalls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        transport = NetworkTransport("127.0.0.1", server.getsockname()[1], 0.2)
        with pytest.raises(TransportStalledError, match=r"no data taken for 0\.2 s"):
            transport.write(bytes(50_000_000))
        transport.discard_output()
        transport.close()
        connection, _ = server.accept()
        with connection, pytest.raises(ConnectionResetError):
            read_to_the_end(connection)


@pytest.mark.parametrize("kind", ["serial", "file"])
def test_a_port_that_takes_nothing_stalls(kind: str) -> None:
    device_end, host_end = pty.openpty()
    tty.setraw(host_end)
    name = os.ttyname(host_end)
    transport = SerialTransport(name, 19_200, "none", 0.2) if kind == "serial" else FileTransport(name, 0.2)
    with pytest.raises(TransportStalledError, match=f"{name}: no data taken for 0.2 s"):
        transport.write(bytes(1_000_000))
    transport.discard_output()
    transport.close()
    os.close(device_end)
    os.close(host_end)


def test_a_file_printer_that_cannot_be_read_still_prints(tmp_path: Path) -> None:
    """Plain files and write-only devices take slips with `status: false`."""
    target = tmp_path / "lp0"
    target.touch()
    printer = open_printer(settings("file", device=str(target), status=False))
    printer.print_slip(short_slip())
    printer.close()
    assert b"baris 9" in target.read_bytes()


def test_a_serial_port_is_taken_by_one_program_only(tmp_path: Path) -> None:
    with serve_on_pty(SimulatedDevice(StandingClock()), tmp_path / "tty") as link:
        first = SerialTransport(str(link), 19_200, "rts_cts", 0.2)
        with pytest.raises(TransportError, match="no other program holds the port"):
            SerialTransport(str(link), 19_200, "xon_xoff", 0.2)
        first.close()
        SerialTransport(str(link), 19_200, "xon_xoff", 0.2).close()


def read_to_the_end(connection: socket.socket) -> None:
    while connection.recv(1 << 20):
        pass
