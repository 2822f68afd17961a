"""A real mosquitto for tests, on a free port, and a subscriber that keeps everything it receives.

Rule: nothing waits for a time to pass, only for something to be so, with a generous deadline.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

DEADLINE_S = 60.0
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")

needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")


def wait_until(condition: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait for the condition to be true; fail naming `what` after the deadline."""
    end_s = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end_s:
            pytest.fail(f"waited {deadline_s:g} s in vain for: {what}")
        time.sleep(0.01)


@dataclass(frozen=True)
class BrokerTls:
    """PEM files of the broker's side; client_ca: clients must show a certificate of it."""

    ca: Path
    certificate: Path
    key: Path
    client_ca: Path | None = None


class Broker:
    """One mosquitto. Lives in `folder`; keeps its port over restarts.

    persistence: sessions and messages survive a kill. passwords: user -> password, anonymous refused. acl: lines of a
    mosquitto access list. extra: more configuration lines.
    """

    host = "localhost"

    def __init__(
        self,
        folder: Path,
        *,
        persistence: bool = False,
        passwords: dict[str, str] | None = None,
        acl: str | None = None,
        tls: BrokerTls | None = None,
        extra: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._passwords = folder / "passwords"
        lines = [f"listener {self.port} 127.0.0.1", f"user {getpass.getuser()}", "max_inflight_messages 0", *extra]
        if persistence:
            lines += [f"persistence_location {folder}/", "autosave_on_changes true", "autosave_interval 1"]
        lines.append(f"persistence {'true' if persistence else 'false'}")
        if passwords is None:
            lines.append("allow_anonymous true")
        else:
            self.set_passwords(passwords)
            lines += ["allow_anonymous false", f"password_file {self._passwords}"]
        if acl is not None:
            self.set_acl(acl)
            lines.append(f"acl_file {folder / 'acl'}")
        if tls is not None:
            lines += [f"cafile {tls.client_ca or tls.ca}", f"certfile {tls.certificate}", f"keyfile {tls.key}"]
            lines.append(f"require_certificate {'true' if tls.client_ca else 'false'}")
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Of the running broker."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Started, and not ended since."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start, and wait until it listens."""
        assert MOSQUITTO is not None
        with (self.folder / "mosquitto.log").open("ab") as log:
            command = [MOSQUITTO, "-v", "-c", str(self.folder / "mosquitto.conf")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._listens_or_ended, "mosquitto to listen")
        if self._process.poll() is not None:
            pytest.fail("mosquitto ended at once:\n" + self.log()[-2000:])

    def kill(self) -> None:
        """kill -9, and wait until it is gone. Safe when it isn't running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE_S)
            self._process = None

    def set_passwords(self, passwords: dict[str, str]) -> None:
        """Rewrite the password file; a running broker reads it again."""
        self._passwords.write_text("".join(f"{user}:{word}\n" for user, word in passwords.items()))
        subprocess.run(["mosquitto_passwd", "-U", str(self._passwords)], check=True, capture_output=True)
        self.reload()

    def set_acl(self, acl: str) -> None:
        """Rewrite the access list; a running broker reads it again."""
        (self.folder / "acl").write_text(acl)
        self.reload()

    def reload(self) -> None:
        """Make a running broker read its files again."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGHUP)

    def log(self) -> str:
        """What it said so far."""
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def _listens_or_ended(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            return True
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


class Subscriber:
    """Connects, subscribes, reconnects and subscribes again, and keeps every message in order of arrival.

    on_message: called for each, in the client's thread. session: a client id makes the session persistent.
    """

    def __init__(
        self,
        broker: Broker,
        topic: str = "#",
        *,
        qos: int = 1,
        session: str = "",
        login: tuple[str, str] | None = None,
        ca: Path | None = None,
        on_message: Callable[[MQTTMessage], None] | None = None,
    ) -> None:
        self._messages: list[MQTTMessage] = []
        self._also = on_message
        self._topic = topic
        self._qos = qos
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, session, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        if login is not None:
            self._client.username_pw_set(*login)
        if ca is not None:
            self._client.tls_set(str(ca))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = lambda *_args: self._subscribed.set()
        self._client.on_message = self._on_message
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600 if session else 0
        self._client.connect(broker.host, broker.port, 60, clean_start=not session, properties=properties)
        self._client.loop_start()
        wait_until(self._subscribed.is_set, f"the subscription to {topic}")

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def subscribed(self) -> bool:
        """The broker has confirmed the subscription of this connection."""
        return self._subscribed.is_set()

    def messages(self, ending: str = "") -> list[MQTTMessage]:
        """Received so far on topics that end so, in order of arrival."""
        return [message for message in list(self._messages) if message.topic.endswith(ending)]

    def payloads(self, ending: str = "") -> list[bytes]:
        """The bodies of `messages`."""
        return [bytes(message.payload) for message in self.messages(ending)]

    def _on_connect(self, client: Client, *_args: Any) -> None:
        client.subscribe(self._topic, qos=self._qos)

    def _on_disconnect(self, *_args: Any) -> None:
        self._subscribed.clear()

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._messages.append(message)
        if self._also is not None:
            self._also(message)


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
