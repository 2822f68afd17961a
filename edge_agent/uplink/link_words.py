"""Turns what stopped a connection into one sentence a technician can act on. Pure; no password is ever part of it."""

from __future__ import annotations

import socket
import ssl

from edge_agent.settings_uplink import UplinkSettings

_REMEDIES = {
    0x80: "see the broker's log",
    0x84: "the broker must speak MQTT 5 (mosquitto 1.6 or newer)",
    0x85: "terminal.site and terminal.id make the client id; the broker must allow it",
    0x86: "check uplink.username and the password in uplink.password_file",
    0x87: "check uplink.username and password_file, and the broker's access list for this terminal",
    0x88: "the broker is not available; it will be tried again",
    0x89: "the broker is busy; it will be tried again",
    0x8A: "this terminal is banned at the broker; ask central operations",
    0x8B: "the broker is shutting down; it will be tried again",
    0x8E: "another terminal uses the same site and id; give each its own",
    0x95: "raise the broker's maximum packet size",
    0x97: "raise the broker's quota for this terminal, or wait",
    0x9A: "the broker must allow retained messages",
    0x9B: "the broker must allow QoS 1",
    0x9F: "too many connections to the broker; it will be tried again",
}
"""MQTT 5 reason codes (section 2.4) that a technician or the broker's administrator can do something about."""


def refusal(settings: UplinkSettings, code: int, words: str, reason_string: str) -> str:
    """The broker's own reason: code, name, its reason string if it gave one, and what to do."""
    said = f"{words}: {reason_string}" if reason_string else words
    return f"the broker {settings.host}:{settings.port} refused: {answer_words(code, said)}"


def answer_words(code: int, words: str) -> str:
    """What the broker answered: its words, the code, and what to do."""
    remedy = _REMEDIES.get(code)
    return f"{words} (0x{code:02X})" + (f"; {remedy}" if remedy else "")


def connect_problem(error: Exception, settings: UplinkSettings) -> str:
    """Why no connection came about: name, network, TLS."""
    place = f"{settings.host}:{settings.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {place} is not trusted: {error.verify_message}; check uplink.tls.ca, "
            "that uplink.host is the name in the broker's certificate, and this terminal's clock"
        )
    if isinstance(error, ssl.SSLError):
        return f"TLS with {place} failed: {error.reason or error}; does this port speak TLS, and the same versions?"
    if isinstance(error, socket.gaierror):
        return f"the name {settings.host} can't be resolved ({error.strerror}); check uplink.host and the network's DNS"
    if isinstance(error, ConnectionRefusedError):
        return f"{place} refused the connection: no broker listens there; check uplink.host, uplink.port and the broker"
    if isinstance(error, TimeoutError):
        return f"{place} did not answer in time; check the network and any firewall"
    if isinstance(error, ConnectionAbortedError | ConnectionResetError | BrokenPipeError):
        hint = "did it refuse this terminal's certificate?" if settings.tls else "does this port want TLS (uplink.tls)?"
        return f"{place} closed the connection at once: {error}; {hint}"
    if isinstance(error, OSError):
        return f"{place} can't be reached: {error.strerror or error}; check the network"
    return f"{place} can't be used: {error}; check uplink.host"
