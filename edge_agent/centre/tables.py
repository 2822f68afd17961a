"""The tables of the centre's books. Amounts are decimal text; instants ISO 8601 in UTC, or UNIX seconds by name."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table

TABLES = MetaData()
ENTITLEMENT = Table(
    "entitlement",
    TABLES,
    Column("entitlement_id", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("amount", String, nullable=False),
    Column("last_grant", Integer, nullable=False, default=0),
)
HOME = Table(  # every home a roster ever gave: read again, the same list must not undo a release
    "home",
    TABLES,
    Column("entitlement_id", String, primary_key=True),
    Column("terminal", String, primary_key=True),
)
HOLDER = Table(
    "holder",
    TABLES,
    Column("entitlement_id", String, primary_key=True),
    Column("terminal", String, primary_key=True, index=True),
    Column("grant_number", Integer, nullable=False),
)
CLAIM = Table(
    "claim",
    TABLES,
    Column("claim_id", String, primary_key=True),
    Column("entitlement_id", String, nullable=False, index=True),
    Column("terminal", String, nullable=False),
    Column("portion", Integer, nullable=False),
    Column("amount", String, nullable=False),
    Column("claimed_at", String, nullable=False),
)
VOID = Table(  # by the terminal that says so: only the one that made a claim can take it back
    "void",
    TABLES,
    Column("claim_id", String, primary_key=True),
    Column("terminal", String, primary_key=True),
)
REQUEST = Table(
    "request",
    TABLES,
    Column("request_id", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("terminal", String, nullable=False),
    Column("received_at_s", Float, nullable=False),
    Column("answered", Boolean, nullable=False),
)
REQUESTED = Table(
    "requested",
    TABLES,
    Column("request_id", String, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("entitlement_id", String, nullable=False, index=True),
)
Index("request_by_time", REQUEST.c.received_at_s)
