"""Types of ledger records, but for the terminal's own events (`aid.terminal.<kind>.v1`). `docs/records.md` says what
each holds.

Rules: a type's meaning never changes: another meaning is another version. Records of every version stay readable.
"""

from __future__ import annotations

CLAIM_RECORDED = "aid.claim.recorded.v1"
SESSION_ENDED = "aid.session.ended.v1"
OUTCOMES = (CLAIM_RECORDED, SESSION_ENDED)
"""One of them for every session."""

SLIP_PRINTED = "aid.slip.printed.v1"
SLIP_FAILED = "aid.slip.failed.v1"
CLAIM_VOIDED = "aid.claim.voided.v1"
REFERRAL_RESOLVED = "aid.referral.resolved.v1"
OFFICER_ACTED = "aid.officer.acted.v1"
DAY_ENDED = "aid.day.ended.v1"
ENTITLEMENT_RELEASED = "aid.entitlement.released.v1"
ROSTER_IMPORTED = "aid.roster.imported.v1"
SUBJECT_DELETED = "aid.subject.deleted.v1"
