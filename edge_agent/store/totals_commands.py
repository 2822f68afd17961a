"""`edge-agent ledger totals|exceptions`: what days came to, and what officers did, counted from records.

Rules: a command returns its exit code: 0 all holds, 1 something does not.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter

from edge_agent.command_line import Subparsers, say
from edge_agent.core.policy import OfficerLimits
from edge_agent.store.officer_counts import ACTS, OfficerDay, limits_in, officer_counts
from edge_agent.store.public_totals import full_totals, public_totals
from edge_agent.store.record_arguments import add_source, add_timezone, chosen_terminals, day_of, path_of, timezone_of
from edge_agent.store.record_totals import gather
from edge_agent.store.totals_text import totals_lines

ALL_TERMINALS = "all terminals"
"""In place of one: what an officer did on one day at several of them, together."""


def add_commands(commands: Subparsers[argparse.ArgumentParser]) -> None:
    """Add them to `edge-agent ledger`."""
    parser = commands.add_parser("totals", help="what each day came to, with exception and exclusion rate")
    add_source(parser)
    parser.add_argument("--day", metavar="DATE", help="one local day; default: every day there is")
    parser.add_argument("--public", action="store_true", help="small counts protected, for publication")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_timezone(parser)
    parser.set_defaults(run=_totals)
    parser = commands.add_parser("exceptions", help="what officers did, by day and officer, against policy")
    add_source(parser)
    parser.add_argument("--day", metavar="DATE", help="one local day; default: every day there is")
    for name in ("assisted", "reprints", "voids"):
        parser.add_argument(f"--{name}", type=int, metavar="N", help="most a day (default: policy in the database)")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_timezone(parser)
    parser.set_defaults(run=_exceptions)


def _totals(arguments: argparse.Namespace) -> int:
    zone, day = timezone_of(arguments), day_of(arguments.day, "--day")
    tables = []
    for records in chosen_terminals(arguments):
        facts = gather(records.events(), zone)
        make = public_totals if arguments.public else full_totals
        days = [day.isoformat()] if day else facts.days()
        tables += [make(facts, records.terminal_id, one) for one in days]
    if arguments.json:
        say(json.dumps(tables, indent=2, ensure_ascii=False))
    else:
        for table in tables:
            for line in totals_lines(table):
                say(line)
    return 0


def _exceptions(arguments: argparse.Namespace) -> int:
    policy = limits_in(path_of(arguments))
    limits = OfficerLimits(
        policy.assisted_per_day if arguments.assisted is None else arguments.assisted,
        policy.reprints_per_day if arguments.reprints is None else arguments.reprints,
        policy.voids_per_day if arguments.voids is None else arguments.voids,
    )
    zone, day = timezone_of(arguments), day_of(arguments.day, "--day")
    wanted, terminals = day.isoformat() if day else None, list(chosen_terminals(arguments))
    found: list[tuple[str, OfficerDay]] = [
        (records.terminal_id, one)
        for records in terminals
        for one in officer_counts(records.events(), zone, limits, wanted)
    ]
    seen = Counter((one.day, one.officer_id) for _, one in found)
    events = (event for records in terminals for event in records.events())
    # Each terminal counts for itself: a copied badge may be used up to the bound at every one of them.
    everywhere = officer_counts(events, zone, limits, wanted) if max(seen.values(), default=0) > 1 else []
    found += [(ALL_TERMINALS, one) for one in everywhere if seen[one.day, one.officer_id] > 1]
    if arguments.json:
        say(json.dumps([{"terminal": terminal, **_officer_day(one)} for terminal, one in found], indent=2))
        return 1 if any(one.over for _, one in found) else 0
    for terminal, one in found:
        counts = ", ".join(f"{act} {one.counts[act]}" for act in ACTS if one.counts[act])
        why = ", ".join(f"{reason} {count}" for reason, count in one.assist_reasons.items())
        over = f"  OVER POLICY: {', '.join(one.over)}" if one.over else ""
        say(f"{one.day}  {terminal}  officer {one.officer_id}: {counts}{f' ({why})' if why else ''}{over}")
    if not found:
        say("no officer acted")
    return 1 if any(one.over for _, one in found) else 0


def _officer_day(one: OfficerDay) -> dict[str, object]:
    return {
        "day": one.day,
        "officer": one.officer_id,
        **one.counts,
        "assist_reasons": dict(one.assist_reasons),
        "over_policy": list(one.over),
    }
