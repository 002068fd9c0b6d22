"""The lines about faults: what was sent twice or broken on purpose, by the ledger, against what the warehouse has found."""

from __future__ import annotations

import base64
import binascii
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .ledger import DUPLICATE, MALFORMED, Ledger
from .lines import Line, between, equal

BROKEN = "broken on purpose (ledger) = own dead letters, by kind"
UNPLANNED = "own dead letters not broken on purpose"
TWICE = "sent twice on purpose (ledger) = duplicates"
LINES = "order lines sent (ledger) = facts"
KINDS = "events (ledger) = order lines + other + sent twice + broken"


@dataclass
class OwnDead:
    """Dead letters of our own producer: those broken on purpose, by fault, and the others."""

    broken: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unplanned: Counter[str] = field(default_factory=Counter)  # by reason

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str | None, str, int]]) -> OwnDead:
        """From (fault header in base64, reason, count)."""
        found = cls()
        for header, reason, count in rows:
            fault = _text(header)
            if fault.startswith(MALFORMED):
                found.broken[fault] += count
                found.reasons[fault].add(reason)
            else:
                found.unplanned[reason] += count
        return found


def fault_lines(before: Ledger, after: Ledger, own_dead: OwnDead, figures: dict[str, Any]) -> list[Line]:
    """Compare, and add `faults` to the figures. `before` and `after` are the same unless a producer is sending."""
    figures["faults"] = _by_kind(before, own_dead, figures["duplicates"])
    foreign = figures["foreign"] + figures["further"]
    note = f"{foreign:,} foreign ones may be some of them" if foreign else "still growing"
    unplanned = ", ".join(f"{reason} {count:,}" for reason, count in sorted(own_dead.unplanned.items()))
    parts = after.order_lines + after.other_events + after.duplicates + sum(after.malformed.values())
    return [
        equal(KINDS, after.events, parts),
        _broken_line(before.malformed, own_dead.broken, after.malformed),
        equal(UNPLANNED, own_dead.unplanned.total(), 0, unplanned),
        between(TWICE, before.duplicates, figures["duplicates"], after.duplicates + foreign, note),
        between(LINES, before.order_lines, figures["facts"], after.order_lines + foreign, note),
    ]


def _broken_line(low: dict[str, int], found: Counter[str], high: dict[str, int]) -> Line:
    """Kind by kind: the sums may agree where the kinds do not."""
    wrong = []
    for fault in sorted(low.keys() | found.keys() | high.keys()):
        sent = between(fault, low.get(fault, 0), found[fault], high.get(fault, 0))
        if not sent.closes:
            wrong.append(f"{fault.removeprefix(MALFORMED)}: {sent.left} sent, {sent.right} found")
    line = between(BROKEN, sum(low.values()), found.total(), sum(high.values()))
    return Line(BROKEN, line.left, line.right, not wrong, "; ".join(wrong) or line.note)


def _by_kind(sent: Ledger, own_dead: OwnDead, duplicates: int) -> dict[str, dict[str, Any]]:
    """{fault: {"sent", "found" (None where the warehouse cannot tell), "reason" (of the dead letters)}}."""
    found: dict[str, int | None] = {**own_dead.broken, DUPLICATE: duplicates}
    return {
        fault: {
            "sent": sent.faults.get(fault, 0),
            "found": found.get(fault, 0) if fault.startswith(MALFORMED) else found.get(fault),
            "reason": ", ".join(sorted(own_dead.reasons.get(fault, ()))) or None,
        }
        for fault in sorted(sent.faults.keys() | found.keys())
    }


def _text(header: str | None) -> str:
    try:
        return base64.b64decode(header or "").decode(errors="replace")
    except binascii.Error:
        return ""
