"""The fault story on a supervisor whose part does nothing and a shop counted by hand: its chapters, its limits, its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ecom_lite.errors import EcomLiteError, UsageError
from ecom_lite.observe.figures import InForce
from ecom_lite.observe.health import Health
from ecom_lite.observe.status import RunStatus
from ecom_lite.run.shop_control import ShopControl
from ecom_lite.run.status import part_status
from ecom_lite.run.story import FaultStory, Limits
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.override import ShopOverride
from ecom_lite.supervise.supervisor import Supervisor
from tests.runs import wait_for

QUICK = Limits(calm_s=0.05, back_s=60, trouble_s=0.1, settle_s=60, poll_s=0.005)


class Loader:
    name = "load"

    def __init__(self) -> None:
        self.deaths = 0
        self._die = threading.Event()

    def start(self) -> None:
        self._die.clear()

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(0.005):
            if self._die.is_set():
                raise EcomLiteError("killed")

    def stop(self) -> None: ...

    def kill(self) -> None:
        self.deaths += 1
        self._die.set()

    def health(self) -> Health:
        return Health(True)


class World:
    """A shop, its loader and what they have counted; each look at it is a moment in which events come."""

    def __init__(self, restarts: int = 5, **faults: float) -> None:
        self.supervisor = Supervisor(restarts=restarts, restart_window_s=60, ready_timeout_s=10, listener=lambda *_: None)
        self.loader = Loader()
        self.supervisor.add(self.loader)
        self.wishes: list[ShopOverride] = []
        self.force = InForce(rate=5.0, faults=faults)
        self.shop = ShopControl(
            load_settings(env={}, flags={f"faults.{n}": s for n, s in faults.items()}), self.take, lambda: self.force
        )
        self.counts: dict[str, Any] = {"sent": 100, "own": 90, "facts": 90, "dead": 0, "duplicates": 0}
        self.held = 0
        self.swallow = 0  # events that vanish

    def take(self, override: ShopOverride) -> None:
        self.wishes.append(override)
        shares = {name: share for name, share in override.faults.items() if share}
        self.force = InForce(rate=override.rate or 5.0, paused=bool(override.paused), faults=shares)
        if shares:
            self.held = 5

    def status(self) -> RunStatus:
        counts = self.counts
        if not self.force.paused:
            counts["sent"] += 10
        elif self.held:
            self.held -= 1
            counts["sent"] += 1
        if self.loader.deaths == 0 or self.supervisor.slot("load").state == "ready":
            new = counts["sent"] - counts["own"] - self.swallow
            counts["own"] += new
            counts["dead"] += new // 5
            counts["facts"] += new - new // 5
        return RunStatus(state="running", parts=part_status(self.supervisor), held=self.held, paused=self.force.paused, **counts)

    def story(self, limits: Limits = QUICK, shop: ShopControl | None = None, late_s: float = 60, **other: Any) -> FaultStory:
        return FaultStory(self.supervisor, shop or self.shop, other.get("status", self.status), late_s, limits)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    assert made.supervisor.start()
    yield made
    made.supervisor.stop()


def ended(story: FaultStory) -> None:
    wait_for(lambda: story.telling().state != "telling", lambda: str(story.telling()))


def test_the_whole_story_kills_troubles_settles_and_counts(world: World) -> None:
    story = world.story()
    assert story.telling().state == "none" and story.telling().parts == ["load"]
    story.begin("load")
    ended(story)
    told = story.telling()
    assert told.state == "closed", told
    assert [chapter.state for chapter in told.chapters] == ["done"] * 6 and all(chapter.text for chapter in told.chapters)
    assert world.loader.deaths == 1 and world.supervisor.slot("load").restarted == 1
    assert "none was lost" in told.told and "order lines" in told.chapters[-1].text
    story.stop()
    assert world.force == InForce(rate=5.0), "all is as it was before"
    assert max(wish.rate for wish in world.wishes if isinstance(wish.rate, float)) == 20.0, "a slow shop sells more meanwhile"
    assert any(wish.faults.get("late") == 0.1 for wish in world.wishes)


def test_faults_and_pause_of_before_are_put_back() -> None:
    world = World(duplicate=0.02)
    world.force = InForce(rate=300.0, faults={"duplicate": 0.02})
    assert world.supervisor.start()
    story = world.story()
    story.begin("load")
    ended(story)
    story.stop()
    assert (world.force.rate, world.force.faults, world.force.paused) == (300.0, {"duplicate": 0.02}, False)
    assert {wish.rate for wish in world.wishes} == {None, 300.0}, "a quick shop keeps its rate"
    world.supervisor.stop()


def test_nothing_is_held_back_where_it_could_be_for_long(world: World) -> None:
    story = world.story(late_s=3600)
    story.begin("load")
    ended(story)
    assert story.telling().state == "closed"
    assert not any(wish.faults.get("late") for wish in world.wishes)


def test_a_count_that_does_not_close_is_a_story_that_failed(world: World) -> None:
    world.swallow = 3
    story = world.story(Limits(calm_s=0.02, back_s=60, trouble_s=0.02, settle_s=0.3, poll_s=0.005), late_s=0.1)
    story.begin("load")
    ended(story)
    told = story.telling()
    assert told.state == "failed" and "did not arrive in time" in told.told
    assert [chapter.state for chapter in told.chapters] == ["done"] * 4 + ["failed", "to come"]
    story.stop()
    assert not world.force.paused and not world.force.faults


def test_it_can_be_ended_early_and_only_one_is_told(world: World) -> None:
    story = world.story(Limits(calm_s=0.02, trouble_s=60, poll_s=0.005))
    story.end()  # none is told: nothing happens
    story.begin("load")
    wait_for(lambda: world.force.faults, "trouble")
    with pytest.raises(EcomLiteError, match="a story is being told already"):
        story.begin("load")
    story.end()
    ended(story)
    assert story.telling().state == "ended"
    story.stop()
    story.stop()
    assert world.force == InForce(rate=5.0)


def test_what_cannot_be_told_is_refused_and_kills_nothing(world: World) -> None:
    for part in ("kafka", "produce", "schedule", "../load"):
        with pytest.raises(UsageError, match="a story kills one of load, postgres"):
            world.story().begin(part)
    with pytest.raises(EcomLiteError, match="postgres is no process of this run"):
        world.story().begin("postgres")
    with pytest.raises(EcomLiteError, match="no simulated shop"):
        FaultStory(world.supervisor, None, world.status, 60, QUICK).begin("load")
    unwell = RunStatus(state="starting")
    with pytest.raises(EcomLiteError, match="not all is well now: run starting"):
        world.story(status=lambda: unwell).begin("load")
    past = RunStatus(state="running", history="sending")
    with pytest.raises(EcomLiteError, match="still sending its past"):
        world.story(status=lambda: past).begin("load")
    assert world.loader.deaths == 0


def test_a_part_that_has_died_too_often_is_spared() -> None:
    world = World(restarts=1)
    assert world.supervisor.start()
    story = world.story()
    story.begin("load")
    ended(story)
    assert story.telling().state == "failed" and "the run ends at more than 1" in story.telling().told
    assert world.loader.deaths == 0 and not world.supervisor.failed.is_set()
    story.stop()
    assert world.force == InForce(rate=5.0)
    world.supervisor.stop()
