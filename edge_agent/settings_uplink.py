"""The uplink's section of the settings: broker, TLS, back-off.

Rules: as `settings.py`, which reads the file this is a part of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from edge_agent.settings_section import Seconds, Section


class TlsSettings(Section):
    """TLS to the broker; certificate and key for a client certificate."""

    ca: Path = Field(description="PEM: who signed the broker's certificate")
    certificate: Path | None = Field(None, description="PEM: this terminal's own")
    key: Path | None = Field(None, description="PEM: key of `certificate`")

    @model_validator(mode="after")
    def _pair(self) -> TlsSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("uplink.tls: certificate and key go together; give both or neither")
        return self


class UplinkSettings(Section):
    """The broker."""

    enabled: bool = Field(True, description="false: nothing is sent, records wait")
    host: str = Field("localhost", description="the broker")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(
        8883, description="the broker's port; 8883 with TLS, 1883 without"
    )
    username: str | None = Field(None, description="with password_file, where the broker wants one")
    password_file: Path | None = Field(None, description="one line; readable by the service only")
    tls: TlsSettings | None = None
    topic_prefix: Annotated[str, Field(pattern=r"^[^#+\s]+$", max_length=100)] = Field(
        "aid/v1", description="first levels of every topic"
    )
    keepalive_s: Annotated[int, Field(ge=5, le=1200)] = Field(30, description="MQTT keep-alive")
    heartbeat_s: Annotated[float, Field(ge=1, le=3600)] = Field(60.0, description="between two telemetry messages")
    backoff_min_s: Seconds = Field(1.0, description="first wait after a failed connection")
    backoff_max_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        300.0, description="longest wait; each is drawn at random below it"
    )
    inflight_max: Annotated[int, Field(ge=1, le=100)] = Field(
        10, description="records sent before the first is acknowledged"
    )
    session_expiry_s: Annotated[int, Field(ge=0, le=4_294_967_295)] = Field(
        604_800, description="how long the broker keeps this terminal's session"
    )
    authorise: bool = Field(
        True, description="ask the centre for what has its home elsewhere; false: such people are referred at once"
    )
    centre_key: Path | None = Field(
        None, description="PEM: public key whose word on entitlements is believed; unset: store.roster_key"
    )
    needs_subscriber: bool = Field(
        True, description="keep records until somebody subscribes to them at the broker; false: the broker is enough"
    )

    @model_validator(mode="after")
    def _login_and_waits_fit(self) -> UplinkSettings:
        if self.password_file is not None and self.username is None:
            raise ValueError("uplink.password_file: a password without a user; add `username: NAME`")
        if self.backoff_min_s > self.backoff_max_s:
            raise ValueError(
                f"uplink.backoff_min_s: {self.backoff_min_s:g} is over backoff_max_s, which is "
                f"{self.backoff_max_s:g}; lower it or raise backoff_max_s"
            )
        return self
