"""What a round of the producer will do, drawn from (seed, round, attempt) alone: the same numbers play the same round again."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .plan import Kind, opening

BATCH_POINTS: Final = ("encoded", "sent")
POINTS: Final = (*BATCH_POINTS, "acknowledged")
BATCH_BYTES: Final = (4_000, 64_000)
FLUSH_MS: Final = (20, 150)  # of the ledger
RATES: Final = (3_000, 12_000)  # orders per second, where the round is not at full speed
FULL_SPEED: Final = 0.4
EVENTS: Final = (1_500, 6_000)  # of one phase
LAST_EVENTS: Final = (500, 2_000)  # what the last producer has yet to send, at least
EVENT_BYTES: Final = 300
MOST_BATCHES: Final = 30
MOST_REQUESTS: Final = 5
MOST_RECORDS: Final = 100  # of a recovery, until it is struck
MOST_FLUSHES: Final = 3
STRIKES: Final = (1, 1, 1, 2, 2, 3)
WITH_FAULTS: Final = 0.4
FAULT_SHARES: Final[Mapping[str, float]] = {"late": 0.05, "duplicate": 0.05, "out_of_order": 0.05, "malformed": 0.01}
LATE_S: Final = (0.1, 1.0)
SEEDS: Final = (1, 10_000)  # of the shop

PRODUCER_KINDS: Final = (
    Kind("producer-encoded", "SIGKILL of the producer, a batch put together and not handed over", ("encoded",)),
    Kind("producer-sent", "SIGKILL of the producer, a batch handed over or on its way", ("sent", "on its way")),
    Kind("producer-answer", "SIGKILL of the producer, the broker's answer on its way", ("produce answer",)),
    Kind("producer-acknowledged", "SIGKILL of the producer before its ledger's transaction", ("acknowledged",)),
    Kind("producer-booked", "SIGKILL of the producer after its ledger's transaction", ("booked",)),
    Kind("producer-recovery", "SIGKILL of a producer that recovers from one", ("taken over", "reading"), 1.5),
    Kind("late-request", "a request of a killed producer reaches the broker after the next has recovered", ("produce held up",)),
    Kind("lost-answer", "the broker's answer is lost, the producer lives on", ("produce answer", "no answer")),
    Kind("cut-produce", "the connection is cut in the middle of a produce request", ("inside produce",)),
    Kind("broker-kill", "SIGKILL and restart of Kafka, the producer lives on", POINTS, 0.4),
    Kind("broker-and-producer", "SIGKILL of Kafka and the producer; both are started again, the producer first", POINTS, 0.3),
    Kind("ledger-kill", "SIGKILL and restart of PostgreSQL, the producer lives on", POINTS, 0.4),
    Kind("stale-sender", "a producer stalls, loses its turn to another, and comes back", BATCH_POINTS),
)
PRODUCER_NAMES: Final = tuple(kind.name for kind in PRODUCER_KINDS)


@dataclass(frozen=True)
class ProducerPhase:
    """One strike of a round, in the way of so many further events of the stream."""

    scenario: str
    point: str
    nth: int
    events: int
    share: float  # of a request that is cut

    def __str__(self) -> str:
        return f"{self.point} #{self.nth}"


@dataclass(frozen=True)
class ProducerPlan:
    """One round."""

    seed: int
    number: int
    attempt: int
    shop_seed: int
    rate: int | str
    batch_bytes: int
    flush_s: float
    faults: Mapping[str, float]
    phases: Sequence[ProducerPhase]
    last_events: int

    @property
    def scenarios(self) -> str:
        return "+".join(phase.scenario for phase in self.phases)

    @property
    def form(self) -> str:
        return "faults" if self.faults else "plain"


def draw_producer_plan(seed: int, number: int, attempt: int = 0, only: Sequence[str] = ()) -> ProducerPlan:
    """The first rounds go through all scenarios (of `only`) in a drawn order, the later ones draw theirs by weight."""
    begun = opening("producer", PRODUCER_KINDS, seed, number, attempt, only)
    draw, kinds = begun.draw, begun.kinds
    chosen = draw.choices(kinds, [kind.weight for kind in kinds], k=draw.choice(STRIKES))
    if begun.first is not None:
        chosen = [begun.first]
    batch_bytes = draw.randint(*BATCH_BYTES)
    rate = "max" if draw.random() < FULL_SPEED else draw.randint(*RATES)
    faults = dict(FAULT_SHARES, late_s=round(draw.uniform(*LATE_S), 2)) if draw.random() < WITH_FAULTS else {}
    return ProducerPlan(
        seed,
        number,
        attempt,
        draw.randint(*SEEDS),
        rate,
        batch_bytes,
        draw.randint(*FLUSH_MS) / 1000,
        faults,
        [_phase(draw, kind, batch_bytes) for kind in chosen],
        draw.randint(*LAST_EVENTS),
    )


def _phase(draw: random.Random, kind: Kind, batch_bytes: int) -> ProducerPhase:
    events = draw.randint(*EVENTS)
    point = draw.choice(kind.points)
    if point in BATCH_POINTS:
        most = min(MOST_BATCHES, events * EVENT_BYTES // batch_bytes // 2)
    elif point in ("acknowledged", "booked"):
        most = MOST_FLUSHES
    elif point == "reading":
        most = MOST_RECORDS
    else:
        most = 1 if point == "taken over" else MOST_REQUESTS
    return ProducerPhase(kind.name, point, draw.randint(1, max(1, most)), events, draw.uniform(0.05, 0.95))
