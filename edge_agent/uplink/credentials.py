"""Password and certificates of the broker link, read anew for every attempt.

Rule: an error names the setting and the file, never what stands in it.
"""

from __future__ import annotations

import ssl

from edge_agent.ports import UplinkError
from edge_agent.settings_uplink import TlsSettings, UplinkSettings


def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer, the broker's certificate and name checked against `ca`. Raises UplinkError naming the file."""
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(tls.ca))
    except OSError as error:  # ssl.SSLError is one
        raise UplinkError(
            f"uplink.tls.ca: {tls.ca} can't be used ({error}); give the PEM file of the broker's CA"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.certificate is not None and tls.key is not None:
        try:
            context.load_cert_chain(str(tls.certificate), str(tls.key), password="")
        except (OSError, ValueError) as error:
            raise UplinkError(
                f"uplink.tls: certificate {tls.certificate} and key {tls.key} can't be used ({error}); "
                "give a PEM certificate and its unencrypted key, readable by the service"
            ) from error
    return context


def password(settings: UplinkSettings) -> str | None:
    """The one line of uplink.password_file; None without one. Raises UplinkError naming the file, never its content."""
    if settings.password_file is None:
        return None
    try:
        return settings.password_file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UplinkError(
            f"uplink.password_file: {settings.password_file} can't be read ({why}); one line with the password"
        ) from error
