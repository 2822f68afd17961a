"""One MQTT 5 connection at a time. The only file that imports paho.

Rules:

- Every attempt gets a fresh paho client, so that no message outlives its connection inside the library: what has to
  be sent again, and in which order, is the courier's business alone. (paho would re-send its own queue after a
  reconnect, beside ours.) A fresh client also reads passwords and certificates anew, so that a technician's fix takes
  effect by itself.
- Name look-up, TCP connect and TLS handshake block for as long as the network likes, so they run in a thread that
  lives only that long and touches nothing but its own client. From then on everything happens in the caller's thread,
  inside `poll`.
- paho's callbacks only note what happened; `poll` hands it out as values.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.ports import UplinkError
from edge_agent.settings_uplink import UplinkSettings
from edge_agent.uplink.credentials import password, tls_context
from edge_agent.uplink.link_events import Answered, Closed, LinkEvent, Opened, Received, Subscribed
from edge_agent.uplink.link_words import answer_words, connect_problem, refusal
from edge_agent.uplink.wire import INCOMING_MAX_BYTES, Message

CONNECT_TIMEOUT_S = 10.0
"""For TCP connect, for the TLS handshake, and for the broker's answer to CONNECT, each."""
_RECEIVE_MAXIMUM_DEFAULT = 65_535
"""MQTT 5, section 3.2.2.3.3: without the property."""
_RECEIVE_MAXIMUM = 20
"""Messages the broker may send this terminal before the first is acknowledged."""


class BrokerLink:
    """A connection to the broker of these settings. `will` makes the last will anew for each attempt."""

    def __init__(
        self, settings: UplinkSettings, client_id: str, will: Callable[[], Message], will_delay_s: int
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._will = will
        self._will_delay_s = will_delay_s
        self._attempt: _Attempt | None = None
        self._wake_r, self._wake_w = socket.socketpair()
        self._wake_r.setblocking(False)
        self._wake_w.setblocking(False)

    @property
    def active(self) -> bool:
        """Connecting or connected."""
        return self._attempt is not None

    def wake(self) -> None:
        """Make `poll` return now. From any thread; never blocks."""
        try:
            self._wake_w.send(b"\0")
        except OSError:
            return  # full: it wakes anyway; closed: nobody is polling

    def open(self) -> None:
        """Begin to connect; the outcome comes from `poll` as Opened or Closed."""
        self.drop()
        try:
            client = self._client()
        except UplinkError as error:
            self._attempt = _Attempt(None, self._settings, self.wake)
            self._attempt.events.put(Closed(str(error)))
            return
        self._attempt = _Attempt(client, self._settings, self.wake)
        self._attempt.begin()

    def poll(self, timeout_s: float) -> list[LinkEvent]:
        """Let the connection work for up to timeout_s, or until something happens or `wake` is called."""
        attempt = self._attempt
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_r, selectors.EVENT_READ)
            if attempt is not None:
                attempt.register(selector)
                timeout_s = 0.0 if attempt.pending() else timeout_s
            selector.select(timeout_s)
        self._drain()
        if attempt is None:
            return []
        attempt.work()
        events = attempt.take()
        if any(isinstance(event, Closed) for event in events):
            self.drop()
        return events

    def publish(self, message: Message) -> int | None:
        """Send, without waiting. The message id, or None when there is no connection (poll will say so)."""
        return self._attempt.publish(message) if self._attempt is not None else None

    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for these topics, QoS 1; the outcome comes from `poll` as Subscribed."""
        if self._attempt is not None:
            self._attempt.subscribe(topics)

    def close(self) -> None:
        """DISCONNECT with reason "normal": the broker forgets the last will."""
        if self._attempt is not None:
            self._attempt.disconnect()
        self.drop()

    def drop(self) -> None:
        """Close the socket without a word: the broker will send the last will."""
        if self._attempt is not None:
            self._attempt.abandon()
            self._attempt = None

    def dispose(self) -> None:
        """Give back what `wake` needs; nothing works afterwards."""
        self.drop()
        self._wake_r.close()
        self._wake_w.close()

    def _drain(self) -> None:
        try:
            while self._wake_r.recv(4096):
                continue
        except BlockingIOError:
            return

    def _client(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        # The courier and the status keep within the broker's receive maximum; paho must never queue.
        client.max_inflight_messages_set(0)
        if settings.username is not None:
            client.username_pw_set(settings.username, password(settings))
        if settings.tls is not None:
            client.tls_set_context(tls_context(settings.tls))
        will = self._will()
        properties = _publish_properties(will, PacketTypes.WILLMESSAGE)
        properties.WillDelayInterval = self._will_delay_s
        client.will_set(will.topic, will.payload, will.qos, will.retain, properties)
        return client


class _Attempt:
    """One paho client from connect to the end, and what it saw. client None: it could not even be made."""

    def __init__(self, client: Client | None, settings: UplinkSettings, wake: Callable[[], None]) -> None:
        self.events: SimpleQueue[LinkEvent] = SimpleQueue()
        self._client = client
        self._settings = settings
        self._wake = wake
        self._lock = threading.Lock()
        self._connecting = False
        self._abandoned = False
        self._open = False
        self._closed = False
        self._answer_due_s = 0.0
        self._library_said = ""

    def begin(self) -> None:
        """Connect in a thread of its own."""
        assert self._client is not None
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect
        self._client.on_log = self._on_log
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._connecting = True
        threading.Thread(target=self._connect, name="uplink-connect", daemon=True).start()

    def _connect(self) -> None:
        assert self._client is not None
        settings = self._settings
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = settings.session_expiry_s
        properties.MaximumPacketSize = INCOMING_MAX_BYTES
        properties.ReceiveMaximum = _RECEIVE_MAXIMUM
        problem = ""
        try:
            self._client.connect(
                settings.host, settings.port, settings.keepalive_s, clean_start=False, properties=properties
            )
        except Exception as error:  # noqa: BLE001 - dying silently here would leave the link connecting for ever
            problem = connect_problem(error, settings)
        with self._lock:
            self._connecting = False
            self._answer_due_s = time.monotonic() + CONNECT_TIMEOUT_S
            if self._abandoned:
                self._close_socket()
            elif problem:
                self._end(problem)
        self._wake()

    def register(self, selector: selectors.BaseSelector) -> None:
        """Ask to be woken when the socket is ready."""
        with self._lock:
            sock = None if self._connecting or self._client is None else self._client.socket()
            if sock is None or sock.fileno() < 0:
                return
            assert self._client is not None
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._client.want_write() else 0)
            selector.register(sock.fileno(), wanted)

    def pending(self) -> bool:
        """Something is there already: events, or bytes inside the TLS layer, which no selector sees."""
        if not self.events.empty():
            return True
        with self._lock:
            sock = None if self._connecting or self._client is None else self._client.socket()
        return isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending() > 0

    def work(self) -> None:
        """Read, write, keep alive."""
        with self._lock:
            if self._connecting or self._closed or self._client is None:
                return
        client = self._client
        done = client.loop_read() or (client.loop_write() if client.want_write() else None) or client.loop_misc()
        if done and not self._closed:
            self._end(self._lost_words())
        if not self._open and not self._closed and time.monotonic() > self._answer_due_s:
            place = f"{self._settings.host}:{self._settings.port}"
            self._end(f"{place} accepted the connection but did not answer CONNECT; is it an MQTT broker?")

    def take(self) -> list[LinkEvent]:
        """What happened since the last time."""
        taken: list[LinkEvent] = []
        while True:
            try:
                taken.append(self.events.get_nowait())
            except Empty:
                return taken

    def publish(self, message: Message) -> int | None:
        """See BrokerLink.publish."""
        if self._client is None or not self._open or self._closed:
            return None
        info = self._client.publish(
            message.topic,
            message.payload,
            message.qos,
            message.retain,
            _publish_properties(message, PacketTypes.PUBLISH),
        )
        if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            return info.mid
        if not self._closed:
            self._end(self._lost_words())
        return None

    def subscribe(self, topics: Sequence[str]) -> None:
        """See BrokerLink.subscribe."""
        if self._client is not None and self._open and not self._closed:
            self._client.subscribe([(topic, 1) for topic in topics])

    def disconnect(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        if self._client is not None and self._open and not self._closed:
            self._closed = True
            self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Normal disconnection"))

    def abandon(self) -> None:
        """No more events; close the socket now, or as soon as the connecting thread lets go of it."""
        with self._lock:
            self._abandoned = self._closed = True
            if not self._connecting:
                self._close_socket()

    def _close_socket(self) -> None:
        sock = self._client.socket() if self._client is not None else None
        if sock is not None:
            sock.close()

    def _end(self, problem: str) -> None:
        if not self._closed:
            self._closed = True
            self.events.put(Closed(problem))

    def _lost_words(self) -> str:
        place = f"{self._settings.host}:{self._settings.port}"
        said = f" ({self._library_said})" if self._library_said else ""
        if self._open:
            return f"the connection to {place} was lost{said}"
        return connect_problem(ConnectionAbortedError(f"closed before CONNACK{said}"), self._settings)

    def _on_connect(
        self, _client: Client, _userdata: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._end(refusal(self._settings, reason.value, str(reason), _reason_string(properties)))
            return
        self._open = True
        self.events.put(
            Opened(
                session_present=flags.session_present,
                receive_maximum=getattr(properties, "ReceiveMaximum", _RECEIVE_MAXIMUM_DEFAULT),
                qos_max=getattr(properties, "MaximumQoS", 2),
            )
        )

    def _on_publish(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, properties: Properties | None
    ) -> None:
        said = _reason_string(properties)
        self.events.put(Answered(mid, reason.value, f"{reason}: {said}" if said else str(reason)))

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self.events.put(Received(message.topic, bytes(message.payload)))

    def _on_subscribe(
        self, _client: Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [answer_words(reason.value, str(reason)) for reason in reasons if reason.is_failure]
        self.events.put(Subscribed("; ".join(refused)))

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._end(refusal(self._settings, reason.value, str(reason), _reason_string(properties)))
        else:
            self._end(self._lost_words())

    def _on_log(self, _client: Client, _userdata: Any, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR:
            self._library_said = text


def _publish_properties(message: Message, packet: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.ContentType = message.content_type
    properties.PayloadFormatIndicator = 1  # UTF-8
    if message.user_properties:
        properties.UserProperty = list(message.user_properties)
    if message.response_topic is not None:
        properties.ResponseTopic = message.response_topic
    if message.correlation is not None:
        properties.CorrelationData = message.correlation
    if message.expiry_s is not None:
        properties.MessageExpiryInterval = message.expiry_s
    return properties


def _reason_string(properties: Properties | None) -> str:
    return str(getattr(properties, "ReasonString", "")) if properties is not None else ""
