"""The centre's connection to the broker: each message is taken, committed and answered before it is acknowledged.

Rules: one thread. paho acknowledges a message when its handler returns, so a process killed in between gets the message
again; the session is persistent, so what comes while the centre is away waits. The only file of the centre that knows
paho; like the terminal's `uplink/link.py` it speaks MQTT 5.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.centre.desk import CentreDesk, Tell
from edge_agent.ports import UplinkError
from edge_agent.uplink.wire import Message

_KEEPALIVE_S = 30
_SESSION_EXPIRY_S = 30 * 24 * 3600
_RECONNECT_MAX_S = 30


@dataclass(frozen=True)
class BrokerAddress:
    """ca: PEM of who signed the broker's certificate; None: no TLS. password_file: one line."""

    host: str
    port: int
    client_id: str = "centre-authority"
    username: str | None = None
    password_file: Path | None = None
    ca: Path | None = None


def serve(address: BrokerAddress, desk: CentreDesk, tell: Tell, ready: Callable[[], None] = lambda: None) -> None:
    """Answer terminals until the process is told to stop. ready: called when the broker listens for us.

    Raises UplinkError when the first connection can't be made, and what `desk.take` raises.
    """
    client = _client(address)

    def on_connect(
        _client: Client, _userdata: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            tell("broker_refused", problem=str(reason))
            return
        client.subscribe([(topic, 1) for topic in desk.subscriptions])

    def on_subscribe(
        _client: Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            tell("broker_refused", problem="; ".join(refused))
            return
        tell("listening", host=address.host, port=address.port)
        ready()

    def on_message(_client: Client, _userdata: Any, message: MQTTMessage) -> None:
        for answer in desk.take(message.topic, bytes(message.payload)):
            client.publish(answer.topic, answer.payload, answer.qos, answer.retain, _properties(answer))

    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = _SESSION_EXPIRY_S
    try:
        client.connect(address.host, address.port, _KEEPALIVE_S, clean_start=False, properties=properties)
    except (OSError, ValueError) as error:
        raise UplinkError(
            f"--broker {address.host}:{address.port} can't be reached ({error}); check name, port and the broker"
        ) from error
    client.loop_forever(retry_first_connection=False)


def _client(address: BrokerAddress) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, address.client_id, protocol=MQTTProtocolVersion.MQTTv5)
    client.reconnect_delay_set(1, _RECONNECT_MAX_S)
    if address.username is not None:
        client.username_pw_set(address.username, _password(address.password_file))
    if address.ca is not None:
        try:
            client.tls_set_context(ssl.create_default_context(cafile=str(address.ca)))
        except OSError as error:
            raise UplinkError(f"--ca {address.ca}: can't be used ({error}); give the PEM of the broker's CA") from error
    return client


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UplinkError(f"--password-file {file}: can't be read; one line with the password") from error


def _properties(message: Message) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = message.content_type
    properties.PayloadFormatIndicator = 1  # UTF-8
    if message.correlation is not None:
        properties.CorrelationData = message.correlation
    if message.expiry_s is not None:
        properties.MessageExpiryInterval = message.expiry_s
    return properties
