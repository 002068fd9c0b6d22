"""What a round of the whole chain will do, drawn from (seed, round) alone: the same numbers play the same round again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .plan import Kind, opening

LEG: Final = 10  # so many rounds share a data folder, and what they can of one run
LIGHT: Final = "light"
SPARK: Final = "spark"
MODES: Final = (LIGHT, SPARK)
WITH_SPARK: Final = 0.04  # beside the rounds that strike it; the rest of their leg keeps it
TWO_AT_ONCE: Final = 0.3
AFTER_S: Final = (0.0, 1.5)  # a strike, behind the moment that it waits for
GAP_S: Final = (0.0, 0.4)  # between two at once
HOLD_S: Final = (1.0, 6.0)  # what is stopped goes on
SHOP_SEEDS: Final = (1, 10_000)
RATE: Final = (40, 90)
OWN_TIME: Final = 0.5  # of the legs: the shop's clock begins at a date, and does not follow the wall's

FLOWING: Final = ("events flow",)
KILLED: Final = {
    "kafka": "Kafka", "postgres": "PostgreSQL", "spark": "Spark's JVM", "produce": "the producer", "load": "the loader",
    "lake": "the lake's writer",
}  # fmt: skip
CHAIN_KINDS: Final = (
    *(Kind(f"kill-{part}", f"SIGKILL of {name}", FLOWING) for part, name in KILLED.items()),
    *(Kind(f"stop-{part}", f"SIGSTOP of {name} for some seconds", FLOWING, 0.5) for part, name in KILLED.items()),
    Kind("kill-page", "the page's server ends in the midst of what it does", FLOWING, 0.5),
    Kind("kill-run", "SIGKILL of the main process; a new run goes on", ("events flow", "starting", "stopping")),
    Kind("kill-dbt", "SIGKILL of the main process in the middle of a dbt run", ("dbt at work",)),
    Kind("cut-dbt", "SIGKILL of PostgreSQL in the middle of a dbt run", ("dbt at work",)),
    Kind("stop-run", "SIGSTOP of the main process for some seconds", FLOWING, 0.5),
    Kind("clock-ahead", "the wall clock jumps an hour ahead, for every process", FLOWING),
    Kind("clock-back", "the wall clock jumps an hour back, for every process", FLOWING),
)
CHAIN_NAMES: Final = tuple(kind.name for kind in CHAIN_KINDS)
ENDS_THE_RUN: Final = ("kill-run", "kill-dbt")


@dataclass(frozen=True)
class ChainPhase:
    """One strike of a round."""

    scenario: str
    point: str
    after_s: float
    hold_s: float

    def __str__(self) -> str:
        return self.point


@dataclass(frozen=True)
class Shop:
    """That of a leg: `start` is its clock's, empty where events carry the time of sending."""

    seed: int
    rate: int
    start: str


@dataclass(frozen=True)
class ChainPlan:
    """One round: its strikes, `gap_s` apart."""

    seed: int
    number: int
    attempt: int
    mode: str
    phases: Sequence[ChainPhase]
    gap_s: float

    @property
    def scenarios(self) -> str:
        return "+".join(phase.scenario for phase in self.phases)

    @property
    def form(self) -> str:
        return self.mode

    @property
    def leg(self) -> int:
        return (self.number - 1) // LEG


def draw_chain_plan(seed: int, number: int, attempt: int = 0, only: Sequence[str] = ()) -> ChainPlan:
    """The first rounds go through all scenarios (of `only`) in a drawn order, the later ones draw theirs by weight."""
    begun = opening("chain", CHAIN_KINDS, seed, number, attempt, only)
    draw, kinds = begun.draw, begun.kinds
    together = draw.random() < TWO_AT_ONCE
    drawn = draw.choices(kinds, [kind.weight for kind in kinds], k=2)
    chosen = [begun.first, *drawn[1:]] if begun.first else drawn
    if not together or chosen[0].name == chosen[1].name:
        chosen = chosen[:1]
    chosen.sort(key=lambda kind: kind.name in ENDS_THE_RUN)  # whoever ends the run strikes last
    if sum(kind.name in ENDS_THE_RUN for kind in chosen) == 2:
        chosen = chosen[:1]
    phases = [ChainPhase(k.name, draw.choice(k.points), draw.uniform(*AFTER_S), draw.uniform(*HOLD_S)) for k in chosen]
    spark = draw.random() < WITH_SPARK or any(kind.name.endswith("-spark") for kind in chosen)
    first_of_leg = number % LEG == 1
    spark = spark or (not first_of_leg and draw_chain_plan(seed, number - 1, 0, only).mode == SPARK)
    return ChainPlan(seed, number, attempt, SPARK if spark else LIGHT, phases, draw.uniform(*GAP_S))


def draw_shop(seed: int, leg: int) -> Shop:
    draw = random.Random(f"chain shop/{seed}/{leg}")
    start = "2026-01-01T00:00Z" if draw.random() < OWN_TIME else ""
    return Shop(draw.randint(*SHOP_SEEDS), draw.randint(*RATE), start)
