"""What can be broken: the loader, the shop's producer, the whole chain. Each has its scenarios, mutations and rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .chain_plan import CHAIN_KINDS, draw_chain_plan
from .loaders import Nursery
from .mutations import MUTATIONS
from .outcome import Outcome
from .plan import KINDS, Kind, Plan, draw_plan
from .producer_mutations import PRODUCER_MUTATIONS
from .producer_plan import PRODUCER_KINDS, ProducerPlan, draw_producer_plan
from .producer_rounds import ProducerRound
from .producer_strikes import strike_producer
from .rounds import Round
from .servers import Servers
from .strikes import strike


@dataclass(frozen=True)
class Target:
    """`draw` is given seed, round, attempt and the scenarios that are wanted."""

    name: str
    kinds: Sequence[Kind]
    mutations: Sequence[str]
    draw: Callable[[int, int, int, Sequence[str]], Any]

    @property
    def names(self) -> list[str]:
        return [kind.name for kind in self.kinds]


@dataclass(frozen=True)
class Alone(Target):
    """One part, without the rest. `play` is given servers, nursery, what was drawn, mutation, name of topic and database."""

    victim: str  # the module that a process of it runs
    play: Callable[[Servers, Nursery, Any, str | None, str], Outcome]


def _load(servers: Servers, nursery: Nursery, plan: Plan, mutation: str | None, name: str) -> Outcome:
    return Round(servers, nursery, plan, mutation, name).play(strike)


def _produce(servers: Servers, nursery: Nursery, plan: ProducerPlan, mutation: str | None, name: str) -> Outcome:
    return ProducerRound(servers, nursery, plan, mutation, name).play(strike_producer)


LOADER: Final = Alone("loader", KINDS, MUTATIONS, draw_plan, f"{__package__}.victim", _load)
PRODUCER: Final = Alone(
    "producer", PRODUCER_KINDS, PRODUCER_MUTATIONS, draw_producer_plan, f"{__package__}.producer_victim", _produce
)
CHAIN_MUTATIONS: Final = ("forgets-late-rows", "syncs-twice")  # chain_mutations.py makes them
CHAIN: Final = Target("chain", CHAIN_KINDS, CHAIN_MUTATIONS, draw_chain_plan)
TARGETS: Final = (LOADER, PRODUCER, CHAIN)
