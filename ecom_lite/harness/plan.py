"""What a round will do, drawn from (seed, round, attempt) alone: the same numbers play the same round again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .shapes import form_of

POINTS: Final = ("handed", "begun", "copied", "filled", "committed")
IN_TRANSACTION: Final = ("begun", "copying", "copied", "filled")
BATCH_ROWS: Final = (20, 300)
FLUSH_MS: Final = (20, 100)
BATCHES: Final = (12, 40)  # of one phase, if they were full
MAX_RECORDS: Final = 3_500
SESSION_MS: Final = (1_000, 1_500)
TWO_SCENARIOS: Final = 0.15  # of the rounds drawn
ALSO_REFUSED: Final = 0.15


@dataclass(frozen=True)
class Kind:
    """A scenario's name, what it does to the loader, the points where it may strike, and how often it is drawn."""

    name: str
    about: str
    points: Sequence[str] = ()
    weight: float = 1.0


KINDS: Final = (
    Kind("kill-begun", "SIGKILL of the loader before its COPY", ("begun",)),
    Kind("kill-copied", "SIGKILL of the loader after its COPY", ("copied",)),
    Kind("kill-filled", "SIGKILL of the loader before its COMMIT", ("filled",)),
    Kind("kill-reply", "SIGKILL of the loader after its COMMIT, before the reply", ("commit reply",)),
    Kind("kill-committed", "SIGKILL of the loader after the reply to its COMMIT", ("committed",)),
    Kind("lost-reply", "the reply to a COMMIT is lost, the loader lives on", ("commit reply",)),
    Kind("cut-copy", "the connection is cut in the middle of a COPY", ("inside COPY",)),
    Kind("postgres-kill", "SIGKILL and restart of PostgreSQL, the loader lives on", POINTS),
    Kind("kafka-kill", "SIGKILL and restart of Kafka, the loader lives on", POINTS, 0.4),
    Kind("stale-owner", "a loader stalls beyond its session, another takes over, the first comes back", POINTS, 0.8),
    Kind("never-back", "a loader is frozen in its transaction for good, another takes over", IN_TRANSACTION, 0.4),
    Kind("rebalance", "loaders join, leave and are killed while others load", ("between batches",), 0.6),
    Kind("disk-full", "the disk under fact_sales is full for a while", ("begun", "copied")),
    Kind("refused", "records that only the database refuses, found by bisecting", ("insert",)),
    Kind("retention", "the broker removes records before they are loaded", ("filled", "committed")),
)
NAMES: Final = tuple(kind.name for kind in KINDS)


@dataclass(frozen=True)
class Phase:
    """One scenario of a round, with a load of its own."""

    scenario: str
    point: str
    nth: int
    records: int
    before: bool  # the load is on the broker before the loader starts
    same_name: bool  # the loader that goes on has the name of the one that ended

    def __str__(self) -> str:
        return f"{self.point} #{self.nth}"


@dataclass(frozen=True)
class Plan:
    """One round. `draw` goes on where the plan's own draws ended: everything else of the round comes from it."""

    seed: int
    number: int
    attempt: int
    batch_rows: int
    flush_ms: int
    session_ms: int
    refuse: bool
    phases: Sequence[Phase]
    draw: random.Random
    form: str  # of the records of foreign producers

    @property
    def scenarios(self) -> str:
        names = [phase.scenario for phase in self.phases]
        return "+".join(names + (["refused"] if self.refuse and "refused" not in names else []))


@dataclass(frozen=True)
class Opening:
    """How the draw of a round begins: `kinds` are those it may have, `first` the one that is its turn; later rounds have none."""

    draw: random.Random
    kinds: Sequence[Kind]
    first: Kind | None


def opening(name: str, kinds: Sequence[Kind], seed: int, number: int, attempt: int, only: Sequence[str]) -> Opening:
    """The first rounds go through all `kinds` (of `only`) in a drawn order. `name` tells one target's draws from another's."""
    prefix = f"{name} " if name else ""
    chosen = [kind for kind in kinds if not only or kind.name in only]
    order = random.Random(f"{prefix}order/{seed}").sample(chosen, len(chosen))
    draw = random.Random(f"{prefix}round/{seed}/{number}/{attempt}")
    return Opening(draw, chosen, order[number - 1] if number <= len(order) else None)


def draw_plan(seed: int, number: int, attempt: int = 0, only: Sequence[str] = ()) -> Plan:
    """The first rounds go through all scenarios (of `only`) in a drawn order, the later ones draw theirs by weight."""
    begun = opening("", KINDS, seed, number, attempt, only)
    draw, kinds = begun.draw, begun.kinds
    if begun.first is not None:
        chosen = [begun.first]
    else:
        chosen = draw.choices(kinds, [kind.weight for kind in kinds], k=2 if draw.random() < TWO_SCENARIOS else 1)
    batch_rows = draw.randint(*BATCH_ROWS)
    phases = [_phase(draw, kind, batch_rows) for kind in chosen]
    refuse = any(phase.scenario == "refused" for phase in phases) or (not only and draw.random() < ALSO_REFUSED)
    return Plan(
        seed,
        number,
        attempt,
        batch_rows,
        draw.randint(*FLUSH_MS),
        draw.randint(*SESSION_MS),
        refuse,
        phases,
        draw,
        form_of(seed, number),
    )


def _phase(draw: random.Random, kind: Kind, batch_rows: int) -> Phase:
    records = min(MAX_RECORDS, batch_rows * draw.randint(*BATCHES))
    # In the first half: what is drawn shall happen, and there must be something left to load after it.
    nth = draw.randint(1, max(1, min(20, records // batch_rows // 2)))
    before = kind.name == "retention" or draw.random() < 0.6
    return Phase(kind.name, draw.choice(kind.points), nth, records, before, draw.random() < 0.6)
