"""Rounds of the whole chain: a data folder for some of them, a run that is kept up, strikes, and the account."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Final

import psycopg
from kafka.errors import KafkaError

from ..engines.from_settings import jar_cache
from ..engines.scratch import Scratch
from ..errors import EcomLiteError
from ..settings.data_dir import LOGS
from . import chain_account
from .chain_mutations import FORGETFUL, forgetful_project
from .chain_plan import ChainPlan, Shop
from .chain_run import PAGE, READY_S, ChainRun
from .chain_strikes import Ending, strike
from .clock import WallClock
from .expect import Violation, wait_until
from .outcome import Outcome, played
from .servers import kafka_version
from .topic import Topic

RESTARTS: Final = 100  # of a part: a run is struck more often than any that it is made for
SETTINGS: Final[Mapping[str, object]] = {
    "grafana.enabled": False, "run.restarts": RESTARTS, "run.fast_start": False, "lake.every_s": 0.5,
    "faults.late_s": 2,
}  # fmt: skip
FAULTS: Final[Mapping[str, float]] = {"late": 0.1, "duplicate": 0.05, "out_of_order": 0.05, "malformed": 0.02}
WATERMARK_S: Final = 10
OWN_TIME_WATERMARK_S: Final = 20_000  # such a shop is some 2,000 times as fast: two late seconds are an hour of it, and more


class Leg:
    """A data folder, the run in it, and what was read of its topic so far. `clock` is the wall clock of its processes."""

    def __init__(self, shop: Shop, clock: WallClock, mutation: str | None) -> None:
        self._scratch = Scratch("chain")
        self.clock = clock
        self._shop, self._mutation = shop, mutation
        watermark = OWN_TIME_WATERMARK_S if shop.start else WATERMARK_S
        flags = {**SETTINGS, "shop.seed": shop.seed, "shop.rate": shop.rate, "spark.watermark_s": watermark}
        if shop.start:
            flags["shop.start"] = shop.start
        folder = self._scratch.path
        if mutation == FORGETFUL:
            flags["transform.project"] = forgetful_project(folder)
        self.run = ChainRun(folder, folder / LOGS / "run.log", flags, clock.environment)
        self._topic: Topic | None = None

    def begin(self, mode: str) -> None:
        self.run.begin(mode, self._mutation)

    def ready(self, mode: str) -> None:
        """Up in this mode, and its shop sends."""
        run = self.run
        if run.alive and run.mode != mode:
            run.stop()
        if not run.alive:
            self.begin(mode)
        run.wait_well(READY_S)
        run.resume(FAULTS)

    def topic(self) -> Topic:
        """As its broker has it now: a Kafka that was started again may have another port."""
        reach = self.run.reach
        earlier = self._topic
        mark = self.run.ask("SELECT mark FROM ops.mark")[0][0]
        self._topic = Topic(reach.client, reach.kafka.topic, f"seed-{self._shop.seed}@{mark}".encode())
        if earlier is not None:
            self._topic.go_on_from(earlier)
            earlier.close()
        return self._topic

    def versions(self) -> list[str]:
        """The servers, by name and version; none where they cannot be asked."""
        try:
            postgres = str(self.run.ask("SHOW server_version")[0][0])
        except (EcomLiteError, psycopg.Error):
            return []
        return [f"Kafka {kafka_version(jar_cache(self.run.settings).classpath('kafka'))}".strip(), f"PostgreSQL {postgres}"]

    def close(self) -> None:
        if self._topic is not None:
            self._topic.close()
        self.run.close()
        self._scratch.remove()


class ChainRound:
    """What a scenario works with. `play` is the whole of it."""

    def __init__(self, leg: Leg, plan: ChainPlan) -> None:
        self.run, self.clock, self.plan = leg.run, leg.clock, plan
        self.outcome = Outcome(plan)
        self.draw = random.Random(f"chain strike/{plan.seed}/{plan.number}/{plan.attempt}")
        self.killed: dict[str, int] = {}  # the parts, and their processes then
        self.page: tuple[int, int] | None = None  # it was ended: in which run, and how often it had been started again by then
        self._leg = leg

    def play(self) -> Outcome:
        """All of it. A Violation is not raised: it is in the outcome."""
        return played(self.outcome, self._play, lambda: None)

    def begin(self) -> None:
        """A new run where the last one was killed."""
        self._leg.begin(self.plan.mode)

    def _play(self) -> None:
        leg, starts = self._leg, self.run.starts
        leg.ready(self.plan.mode)
        self.run.wait_flowing()
        starts = self.run.starts
        before = self._restarts()
        self.outcome.struck = self._strike()
        if not self.run.alive and self.run.ended_by_us:
            self.begin()
        for part, process in self.killed.items():
            self._wait_replaced(part, process)
        if self.page is not None and self.page[0] == self.run.starts:
            known = self.page[1]
            wait_until(lambda: self.run.restarts(PAGE) > known, "the page is started again", READY_S, self.run.log_tail)
        self.run.wait_flowing()
        self.run.refresh(full=False)  # while events flow: what is late comes after it
        self.outcome.restarts = self.run.starts - starts or max(0, self._restarts() - before)
        self.run.pause()
        try:
            topic = leg.topic()
            self.outcome.violations += chain_account.take(self.run, topic)
            self.outcome.records = len(topic.records)
        except (EcomLiteError, KafkaError) as error:
            raise Violation("account", "it can be taken", repr(error), self.run.log_tail()) from error

    def _strike(self) -> bool:
        endings: list[Ending] = []
        struck = []
        for number, phase in enumerate(self.plan.phases):
            if number:
                time.sleep(self.plan.gap_s)
            happened, more = strike(self, phase)
            struck.append(happened)
            endings += more
        for moment, end in sorted(endings, key=lambda ending: ending[0]):
            time.sleep(max(0.0, moment - time.monotonic()))
            end()
        return all(struck)

    def _wait_replaced(self, part: str, process: int) -> None:
        """Nobody may have noticed yet that it is gone."""

        def replaced() -> bool:
            self.run.require_alive()
            return self.run.parts().get(part, process) != process

        wait_until(replaced, f"{part} is started again", READY_S, self.run.log_tail)

    def _restarts(self) -> int:
        state = self.run.state
        return 0 if state is None else sum(part.restarts for part in state.parts.values())
