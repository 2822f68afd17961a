-- Portions, proxies, officers, the centre's grants, voids and copies.

-- A claim is never changed but for one thing: two officers may void it, once. What is not void stands once per portion.
CREATE TABLE claim_3 (
    claim_id TEXT PRIMARY KEY,
    claim_number TEXT NOT NULL UNIQUE,
    entitlement_id TEXT NOT NULL,
    portion INTEGER NOT NULL DEFAULT 1 CHECK (portion >= 1),
    session_id TEXT NOT NULL REFERENCES session (session_id) DEFERRABLE INITIALLY DEFERRED,
    subject_id TEXT NOT NULL,
    programme TEXT NOT NULL,
    cycle TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount TEXT NOT NULL,
    left_amount TEXT NOT NULL DEFAULT '0',
    unit TEXT NOT NULL,
    item TEXT NOT NULL,
    claimed_at TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    place TEXT NOT NULL,
    proxy_id TEXT,
    assisted_by TEXT,
    assist_reason TEXT,
    grant_number INTEGER,
    voided_seq INTEGER REFERENCES ledger (seq) DEFERRABLE INITIALLY DEFERRED,
    seq INTEGER NOT NULL REFERENCES ledger (seq) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
INSERT INTO claim_3 (claim_id, claim_number, entitlement_id, session_id, subject_id, programme, cycle, kind, amount, unit,
    item, claimed_at, terminal_id, place, seq)
    SELECT claim_id, claim_number, entitlement_id, session_id, subject_id, programme, cycle, kind, amount, unit, item,
        claimed_at, terminal_id, place, seq FROM claim;
DROP TABLE claim;
ALTER TABLE claim_3 RENAME TO claim;
CREATE UNIQUE INDEX claim_once ON claim (entitlement_id, portion) WHERE voided_seq IS NULL;
CREATE INDEX claim_of_subject ON claim (subject_id);
CREATE INDEX claim_of_session ON claim (session_id);
CREATE INDEX claim_by_seq ON claim (seq);
CREATE TRIGGER claim_is_only_voided BEFORE UPDATE ON claim
WHEN OLD.voided_seq IS NOT NULL OR NEW.voided_seq IS NULL OR NEW.claim_id <> OLD.claim_id
    OR NEW.entitlement_id <> OLD.entitlement_id OR NEW.portion <> OLD.portion OR NEW.amount <> OLD.amount
    OR NEW.subject_id <> OLD.subject_id OR NEW.session_id <> OLD.session_id OR NEW.seq <> OLD.seq
BEGIN SELECT RAISE(ABORT, 'claims are never changed, only voided once'); END;
CREATE TRIGGER claim_is_not_deleted BEFORE DELETE ON claim
BEGIN SELECT RAISE(ABORT, 'claims are never deleted'); END;

ALTER TABLE entitlement ADD COLUMN portion TEXT;
ALTER TABLE entitlement ADD COLUMN portion_days INTEGER NOT NULL DEFAULT 1;

-- policy, programmes: JSON as in the roster file; terminals: how many the roster is sealed to. content_sha256: digest of
-- the content in force, which a delta must name; empty after an import by older software.
ALTER TABLE roster ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
ALTER TABLE roster ADD COLUMN programmes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE roster ADD COLUMN content_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE roster ADD COLUMN terminals INTEGER NOT NULL DEFAULT 1;

-- copies: slips printed again, so that each copy is told from every other. day: the local day it was recorded on.
ALTER TABLE session ADD COLUMN copies INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN day TEXT NOT NULL DEFAULT '';
CREATE INDEX session_of_day ON session (day);
CREATE INDEX session_of_subject ON session (subject_id);

CREATE TABLE proxy (
    entitlement_id TEXT NOT NULL REFERENCES entitlement (entitlement_id) ON DELETE CASCADE,
    cycle TEXT NOT NULL,
    proxy_id TEXT NOT NULL REFERENCES subject (subject_id) ON DELETE CASCADE,
    valid_until TEXT,
    PRIMARY KEY (entitlement_id, proxy_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX proxy_by_person ON proxy (proxy_id);

CREATE TABLE officer (
    officer_id TEXT PRIMARY KEY,
    subject_id TEXT
) STRICT, WITHOUT ROWID;

-- One row per act of an officer, done or refused. case_number: of the slip it is about.
CREATE TABLE officer_act (
    act_id TEXT PRIMARY KEY,
    act TEXT NOT NULL,
    officer_id TEXT NOT NULL,
    second_officer_id TEXT,
    case_number TEXT,
    problem TEXT,
    day TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    seq INTEGER NOT NULL UNIQUE REFERENCES ledger (seq) DEFERRABLE INITIALLY DEFERRED,
    detail TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;
CREATE INDEX officer_act_of_day ON officer_act (day, officer_id);
CREATE INDEX officer_act_of_case ON officer_act (case_number);

-- Entitlements given back to the centre. grant_number: the highest grant this voids (0: the home itself).
CREATE TABLE released (
    entitlement_id TEXT PRIMARY KEY,
    grant_number INTEGER NOT NULL,
    seq INTEGER NOT NULL REFERENCES ledger (seq) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
