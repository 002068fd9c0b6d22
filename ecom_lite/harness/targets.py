"""What can be broken: the loader, or the shop's producer. Each has its scenarios, its mutations and its rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

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
    """`play` is given the servers, the nursery, what `draw` has drawn, a mutation and the name of topic and database."""

    name: str
    victim: str  # the module that a process of it runs
    kinds: Sequence[Kind]
    mutations: Sequence[str]
    draw: Callable[[int, int, int, Sequence[str]], Any]
    play: Callable[[Servers, Nursery, Any, str | None, str], Outcome]

    @property
    def names(self) -> list[str]:
        return [kind.name for kind in self.kinds]


def _load(servers: Servers, nursery: Nursery, plan: Plan, mutation: str | None, name: str) -> Outcome:
    return Round(servers, nursery, plan, mutation, name).play(strike)


def _produce(servers: Servers, nursery: Nursery, plan: ProducerPlan, mutation: str | None, name: str) -> Outcome:
    return ProducerRound(servers, nursery, plan, mutation, name).play(strike_producer)


LOADER: Final = Target("loader", f"{__package__}.victim", KINDS, MUTATIONS, draw_plan, _load)
PRODUCER: Final = Target(
    "producer", f"{__package__}.producer_victim", PRODUCER_KINDS, PRODUCER_MUTATIONS, draw_producer_plan, _produce
)
TARGETS: Final = (LOADER, PRODUCER)
