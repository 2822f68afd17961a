-- Tokens that the roster in force withdraws, by serial (12 hex digits).

CREATE TABLE revoked_token (
    serial TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
