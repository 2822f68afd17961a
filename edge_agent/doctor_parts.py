"""How the doctor reaches each part of the terminal that the settings name.

Rules: nothing is opened before its check asks for it. The broker is asked under a client id of its own and leaves no
session behind, so that a running terminal keeps its connection.
"""

from __future__ import annotations

import os
import time

from edge_agent import wiring
from edge_agent.devices.token_reader import open_reader
from edge_agent.field.doctor import Parts
from edge_agent.field.part_checks import StoreFacts
from edge_agent.ports import Camera, UplinkError
from edge_agent.settings import LoadedSettings, Settings
from edge_agent.store.keys import load_keys
from edge_agent.store.outbox import SqliteOutbox
from edge_agent.store.store import Store
from edge_agent.uplink.host_health import HostHealth
from edge_agent.uplink.link import BrokerLink
from edge_agent.uplink.link_events import Closed, Opened
from edge_agent.uplink.wire import Message
from edge_agent.vision.loading import load_observer

_BROKER_WITHIN_S = 40.0
"""Over the link's own limits for TCP, TLS and CONNECT together, so that its words are told, not ours."""
_BYTES_PER_MB = 1_000_000


def parts_of(loaded: LoadedSettings) -> Parts:
    """The parts of this terminal."""
    settings = loaded.settings
    return Parts(
        verify_models=lambda: sorted(wiring.load_manifest(settings).model_hashes()),
        load_vision=lambda: load_observer(settings.vision).close(),
        load_keys=lambda: load_keys(settings.store),
        inspect_store=lambda: _inspect_store(settings),
        make_camera=lambda: _make_camera(settings),
        make_printer=lambda: wiring.make_printer(settings),
        make_leds=lambda: wiring.make_leds(settings.leds),
        test_token_reader=lambda: os.close(open_reader(settings.tokens)),
        ask_broker=lambda: _ask_broker(settings),
        read_host=HostHealth(disk=settings.store.path.parent).read,
    )


def _make_camera(settings: Settings) -> Camera:
    leds = wiring.make_leds(settings.leds) if settings.camera.driver == "puppet" else None
    return wiring.make_camera(settings.camera, leds)


def _inspect_store(settings: Settings) -> StoreFacts:
    path = settings.store.path
    with Store.open(path, load_keys(settings.store), wiring.terminal_identity(settings)) as store:
        roster = store.roster_info()
        outbox = SqliteOutbox(path)
        try:
            waiting = outbox.depth()
        finally:
            outbox.close()
    return StoreFacts(
        subjects=roster.subjects,
        roster_version=roster.version,
        issued_at=roster.issued_at,
        size_mb=path.stat().st_size / _BYTES_PER_MB,
        waiting=waiting,
    )


def _ask_broker(settings: Settings) -> str:
    client_id = f"{settings.terminal.id}-doctor"
    topic = f"{settings.uplink.topic_prefix}/doctor/{settings.terminal.id}"
    once = settings.uplink.model_copy(update={"session_expiry_s": 0})
    link = BrokerLink(once, client_id, lambda: Message(topic, b"", 0, False, ""), will_delay_s=0)
    began_s = time.monotonic()
    try:
        link.open()
        while time.monotonic() - began_s < _BROKER_WITHIN_S:
            for event in link.poll(0.5):
                if isinstance(event, Opened):
                    link.close()
                    return f"accepted after {time.monotonic() - began_s:.1f} s"
                if isinstance(event, Closed):
                    raise UplinkError(event.problem)
    finally:
        link.dispose()
    raise UplinkError(f"no answer within {_BROKER_WITHIN_S:g} s; check network, uplink.host and uplink.port")
