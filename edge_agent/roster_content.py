"""What a roster holds, as values; as the fields of a file; and its digest.

Rules: names stay only where the policy says that slips show them. The digest is over canonical JSON (RFC 8785) of the
content in an order of its own, so that it is the same in the office, from a full file, after a delta, and read back
from a terminal's database.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import rfc8785
from pydantic import TypeAdapter, ValidationError

from edge_agent.core.model import Embedding, Entitlement
from edge_agent.core.policy import DEFAULT_POLICY, Officer, Policy, Proxy
from edge_agent.ports import EmbedderId, RosterError
from edge_agent.roster_payload import RosterPayload
from edge_agent.roster_policy import OfficerRecord, PolicyRecord, ProgrammeRecord, ProxyRecord
from edge_agent.roster_schema import EntitlementRecord, Instant, RosterHeader, SubjectRecord, first_problem

FLOAT32 = np.dtype("<f4")
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


@dataclass(frozen=True, eq=False)
class RosterSubject:
    """templates: (k, d) float32 rows of unit length, k at least 1; display_name: empty when the office sent none."""

    subject_id: str
    templates: npt.NDArray[np.float32]
    display_name: str = ""


@dataclass(frozen=True, eq=False)
class Roster:
    """An opened or not yet sealed roster. file_sha256: hash of the whole file, hex; empty before it is signed.

    revoked_tokens: serials as in `token_file.Token`. terminals: how many it is sealed to (said by whom it is signed
    for, not by this field).
    """

    site: str
    version: int
    issued_at: datetime
    embedder: EmbedderId
    subjects: tuple[RosterSubject, ...]
    entitlements: tuple[Entitlement, ...]
    file_sha256: str = ""
    revoked_tokens: frozenset[str] = frozenset()
    policy: Policy = DEFAULT_POLICY
    programmes: tuple[ProgrammeRecord, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    officers: tuple[Officer, ...] = ()
    terminals: int = 1


def without_unwanted_names(roster: Roster) -> Roster:
    """The roster with its names only if the policy lets slips show them."""
    if roster.policy.show_names:
        return roster
    return replace(roster, subjects=tuple(RosterSubject(s.subject_id, s.templates) for s in roster.subjects))


def payload_of(roster: Roster) -> RosterPayload:
    """The roster as the fields of a file. Raises RosterError when it breaks a rule of the format."""
    try:
        return RosterPayload(
            subjects=tuple(_subject_record(subject) for subject in roster.subjects),
            entitlements=tuple(EntitlementRecord.of(entitlement) for entitlement in roster.entitlements),
            revoked_tokens=tuple(sorted(roster.revoked_tokens)),
            policy=PolicyRecord.of(roster.policy),
            programmes=roster.programmes,
            proxies=tuple(ProxyRecord.of(proxy) for proxy in roster.proxies),
            officers=tuple(OfficerRecord.of(officer) for officer in roster.officers),
        )
    except ValidationError as error:
        raise RosterError(f"roster: {first_problem(error)}") from error


def roster_of(header: RosterHeader, payload: RosterPayload, file_sha256: str, where: str) -> Roster:
    """The fields of a file as a roster. where: how a RosterError names the file."""
    return Roster(
        header.site,
        header.version,
        header.issued_at,
        EmbedderId(header.embedder, header.embedder_sha256),
        tuple(
            _subject(record, header.dimensions, f"{where}: subjects.{place}")
            for place, record in enumerate(payload.subjects)
        ),
        tuple(record.to_entitlement() for record in payload.entitlements),
        file_sha256,
        frozenset(payload.revoked_tokens),
        payload.policy.to_policy(),
        payload.programmes,
        tuple(record.to_proxy() for record in payload.proxies),
        tuple(record.to_officer() for record in payload.officers),
        len(header.sealed_to),
    )


def _subject_record(subject: RosterSubject) -> SubjectRecord:
    return SubjectRecord(
        subject_id=subject.subject_id,
        display_name=subject.display_name,
        templates=[base64url(np.ascontiguousarray(row, dtype=FLOAT32).tobytes()) for row in subject.templates],
    )


def _subject(record: SubjectRecord, dimensions: int, field: str) -> RosterSubject:
    rows: list[Embedding] = []
    for number, text in enumerate(record.templates):
        where = f"{field}.templates.{number}"
        raw = base64.urlsafe_b64decode(text)
        if len(raw) != dimensions * FLOAT32.itemsize:
            raise RosterError(f"{where}: has {len(raw)} bytes, {dimensions} float32 are needed; build the roster again")
        row = np.frombuffer(raw, dtype=FLOAT32).astype(np.float32)
        if not np.isfinite(row).all() or abs(float(np.linalg.norm(row)) - 1.0) > 1e-3:
            raise RosterError(f"{where}: is not of unit length; build the roster again")
        rows.append(row)
    return RosterSubject(record.subject_id, np.stack(rows), record.display_name)


def content_sha256(roster: Roster) -> str:
    """The digest of what the roster says, hex. It holds site, version, instant of issue, embedder and the number of
    terminals too; not the file or how it came. Raises RosterError when the roster breaks a rule of the format."""
    payload = payload_of(without_unwanted_names(roster))
    content = payload.model_dump(mode="json")
    for name, key in _ORDER.items():
        content[name] = sorted(content[name], key=lambda item: tuple(item[part] for part in key))
    content["site"] = roster.site
    content["version"] = roster.version
    content["issued_at"] = _INSTANT.dump_python(_INSTANT.validate_python(roster.issued_at), mode="json")
    content["embedder"] = [roster.embedder.name, roster.embedder.sha256]
    content["terminals"] = roster.terminals
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


_ORDER = {
    "subjects": ("subject_id",),
    "entitlements": ("entitlement_id",),
    "programmes": ("programme",),
    "proxies": ("entitlement_id", "proxy_id"),
    "officers": ("officer_id",),
}


def base64url(content: bytes) -> str:
    """URL-safe base64 with padding, as in every field of the file."""
    return base64.urlsafe_b64encode(content).decode()
