"""What would become of records if they were sent: facts, or why not, and which mapping would help. Writes nothing anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from ..contract.attributes import attributes_of
from ..contract.events import Clock, Event, OrderLine, OrderReversal
from ..contract.reader import Reader, make_reader
from ..contract.rejected import Rejected
from ..settings.events import Events
from .judge import Judged, judge
from .propose import Proposal, propose
from .records import Record

SAMPLE: Final = 1_000  # so many records are looked at for a mapping, ...
SAMPLE_BYTES: Final = 32 * 1024 * 1024  # ... of so many bytes


@dataclass
class Attempt:
    """`loads` records would load as `events`, `dies` would not; the first of each kind are kept to be shown."""

    records: int = 0
    loads: int = 0
    events: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    loading: list[Judged] = field(default_factory=list)
    dying: list[Judged] = field(default_factory=list)
    sample: list[bytes] = field(default_factory=list)
    loads_of_sample: int = 0

    @property
    def dies(self) -> int:
        return self.reasons.total()

    def as_json(self) -> dict[str, Any]:
        counts = {"records": self.records, "loads": self.loads, "events": self.events, "dies": self.dies}
        loading = [{"where": one.record.where, "events": msgspec.to_builtins(one.events)} for one in self.loading]
        dying = [
            {"where": one.record.where, "reason": one.problem.reason, "detail": one.problem.detail}
            for one in self.dying
            if one.problem is not None
        ]
        return {**counts, "reasons": dict(self.reasons), "loading": loading, "dying": dying}


def attempt(records: Iterable[tuple[Record, Reader | None]], clock: Clock, limit: int) -> Attempt:
    """Judge each record by its reader; None for one that is judged without the settings. Keeps `limit` of each kind."""
    done = Attempt()
    plain = make_reader(Events())
    room = SAMPLE_BYTES
    for record, reader in records:
        one = judge(record, reader or plain, clock())
        done.records += 1
        sampled = reader is not None and record.value is not None and len(done.sample) < SAMPLE and room > 0
        if sampled and record.value is not None:
            done.sample.append(record.value)
            room -= len(record.value)
        if one.problem is not None:
            done.reasons[one.problem.reason] += 1
            if len(done.dying) < limit:
                done.dying.append(one)
            continue
        done.loads += 1
        done.events += len(one.events)
        done.loads_of_sample += sampled
        if len(done.loading) < limit:
            done.loading.append(one)
    return done


@dataclass(frozen=True)
class Tried:
    """A proposal, and what it makes of the sample that it was made from."""

    proposal: Proposal
    loads: int
    of: int
    first_problem: Rejected | None


def proposed(sample: Sequence[bytes], now: datetime) -> Tried:
    """The mapping for these records, tried on them."""
    proposal = propose([document for value in sample if (document := _document(value)) is not None], now)
    reader = make_reader(Events.model_validate(proposal.settings()))
    judged = [judge(Record("", value), reader, now) for value in sample]
    problems = [one.problem for one in judged if one.problem is not None]
    return Tried(proposal, len(judged) - len(problems), len(judged), next(iter(problems), None))


def row_of(where: str, event: Event, attributes: Sequence[str] = ()) -> tuple[object, ...]:
    """where, order, customer, product, title, category, price, quantity, revenue, time; then the attributes."""
    found = attributes_of(event)
    return (*_row_of(where, event), *("" if found.get(name) is None else found[name] for name in attributes))


def _row_of(where: str, event: Event) -> tuple[object, ...]:
    time = event.timestamp.isoformat().replace("+00:00", "Z")
    if isinstance(event, OrderLine):
        what = (event.product_id, event.product_title, event.category, event.price, event.quantity, event.revenue)
        return (where, event.order_id, event.user_id, *what, time)
    if isinstance(event, OrderReversal):
        return (where, event.order_id, event.user_id, event.product_id, f"({event.event_type})", "", "", event.quantity, "", time)
    return (where, "", event.user_id, "", f"({event.event_type})", "", "", "", "", time)


def _document(value: bytes) -> Any:
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
