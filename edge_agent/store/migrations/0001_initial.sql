-- Roster, claims, ledger and outbox of one terminal.
-- Instants are RFC 3339 UTC with milliseconds, days ISO 8601, amounts decimal text.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE roster (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    site TEXT NOT NULL,
    issued_at TEXT NOT NULL,
    imported_at TEXT NOT NULL,
    file_sha256 TEXT NOT NULL,
    embedder_name TEXT NOT NULL,
    embedder_sha256 TEXT NOT NULL
) STRICT;

-- display_name and template.sealed are AES-256-GCM ciphertexts (store/templates.py).
CREATE TABLE subject (
    subject_id TEXT PRIMARY KEY,
    display_name BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE template (
    template_id INTEGER PRIMARY KEY,
    subject_id TEXT NOT NULL REFERENCES subject (subject_id) ON DELETE CASCADE,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX template_of_subject ON template (subject_id);

CREATE TABLE entitlement (
    entitlement_id TEXT PRIMARY KEY,
    subject_id TEXT NOT NULL REFERENCES subject (subject_id) ON DELETE CASCADE,
    programme TEXT NOT NULL,
    cycle TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount TEXT NOT NULL,
    unit TEXT NOT NULL,
    item TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_until TEXT NOT NULL,
    state TEXT NOT NULL,
    home TEXT,
    lease_until TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX entitlement_of_subject ON entitlement (subject_id);

CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    time TEXT NOT NULL,
    hash TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- One row per session that ended with a record; `detail` holds the rest of the receipt as JSON.
CREATE TABLE session (
    session_id TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    reason TEXT,
    case_number TEXT NOT NULL UNIQUE,
    subject_id TEXT,
    recorded_at TEXT NOT NULL,
    seq INTEGER NOT NULL UNIQUE REFERENCES ledger (seq) DEFERRABLE INITIALLY DEFERRED,
    detail TEXT NOT NULL,
    slip TEXT NOT NULL DEFAULT 'pending' CHECK (slip IN ('pending', 'printed', 'failed')),
    slip_problem TEXT NOT NULL DEFAULT '',
    slip_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX session_unprinted ON session (seq) WHERE outcome = 'GIVEN' AND slip <> 'printed';

-- No reference to entitlement: rosters come and go, claims stay.
CREATE TABLE claim (
    claim_id TEXT PRIMARY KEY,
    claim_number TEXT NOT NULL UNIQUE,
    entitlement_id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES session (session_id) DEFERRABLE INITIALLY DEFERRED,
    subject_id TEXT NOT NULL,
    programme TEXT NOT NULL,
    cycle TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount TEXT NOT NULL,
    unit TEXT NOT NULL,
    item TEXT NOT NULL,
    claimed_at TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    place TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES ledger (seq) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_of_subject ON claim (subject_id);
CREATE INDEX claim_of_session ON claim (session_id);

-- The body is read from the ledger: one truth.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY REFERENCES ledger (seq)
) STRICT;

CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'ledger records are never changed'); END;
CREATE TRIGGER ledger_is_not_deleted BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'ledger records are never deleted'); END;
CREATE TRIGGER claim_is_not_changed BEFORE UPDATE ON claim
BEGIN SELECT RAISE(ABORT, 'claims are never changed'); END;
CREATE TRIGGER claim_is_not_deleted BEFORE DELETE ON claim
BEGIN SELECT RAISE(ABORT, 'claims are never deleted'); END;
