"""When dbt runs: with the first facts, once more a minute later, then regularly; and not while a past is on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecom_lite.transform import DbtRun, add_runs


class Jobs:
    """What a schedule is told; the test looks and acts in its place."""

    def __init__(self) -> None:
        self.repeating: dict[str, tuple[float, Callable[[], object]]] = {}
        self.once: dict[str, tuple[Callable[[], bool], Callable[[], object]]] = {}

    def every(self, name: str, seconds: float, job: Callable[[], object]) -> None:
        self.repeating[name] = (seconds, job)

    def when(self, name: str, seconds: float, condition: Callable[[], bool], action: Callable[[], object]) -> None:
        self.once[name] = (condition, action)


class Past:
    def __init__(self, expected: bool = False) -> None:
        self.expected = expected
        self.is_pending = False
        self.arrived = False

    def pending(self) -> bool:
        return self.is_pending

    def in_marts(self) -> None:
        self.arrived = True


class Site:
    def __init__(self, past: Past) -> None:
        self.now, self.facts, self.status = 1000.0, False, "success"
        self.triggers: list[str] = []
        self.many, self.takes_s, self.held = False, 0.0, ""
        self.jobs = Jobs()
        add_runs(
            self.jobs, 300.0, self.refresh, lambda: self.facts, past, early=lambda: self.many, held=lambda: self.held,
            clock=lambda: self.now,
        )  # fmt: skip

    def refresh(self, trigger: str) -> Any:
        self.triggers.append(trigger)
        if trigger == "many facts":
            self.jobs.repeating["dbt"][1]()  # the pace comes while it is at work
        self.now += self.takes_s
        return DbtRun(1, trigger, self.status, 0.1, 9, 11, 0, "", 5)


def test_the_first_run_waits_for_facts_and_is_tried_again_after_an_error() -> None:
    site = Site(Past())
    condition, action = site.jobs.once["first facts"]
    assert not condition()
    site.facts, site.status = True, "error"
    assert condition() and action() is False
    site.status = "tests failed"
    assert action() is True and site.triggers == ["first facts", "first facts"]


def test_no_run_while_a_past_is_loading_and_then_it_is_in_the_marts() -> None:
    past = Past(expected=True)
    past.is_pending = True
    site = Site(past)
    site.facts, site.now = True, site.now + 61
    assert not any(condition() for condition, _ in site.jobs.once.values())
    past.is_pending = False
    condition, action = site.jobs.once["first facts"]
    assert condition() and action() is True
    assert past.arrived and site.triggers == ["history"]


def test_there_is_one_more_a_minute_after_the_start_and_then_at_the_pace_of_the_settings() -> None:
    site = Site(Past())
    condition, action = site.jobs.once["first minute"]
    assert not condition()
    site.now += 61
    assert condition()
    action()
    seconds, job = site.jobs.repeating["dbt"]
    job()
    assert (seconds, site.triggers) == (300.0, ["first minute", "schedule"])


def test_many_facts_are_not_waited_with_and_the_pace_lets_its_turn_pass_while_such_a_run_works_or_has_just_ended() -> None:
    site = Site(Past())
    look, pace = site.jobs.repeating["many facts"][1], site.jobs.repeating["dbt"][1]
    look()
    assert site.triggers == []
    site.many, site.takes_s = True, 20.0
    look()
    site.now += 79
    pace()
    assert site.triggers == ["many facts"], "it rests for four times as long as the run took"
    site.now += 2
    pace()
    assert site.triggers == ["many facts", "schedule"]


def test_no_early_run_while_a_past_is_loading_nor_where_none_is_wanted() -> None:
    past = Past(expected=True)
    past.is_pending = True
    site = Site(past)
    site.many = True
    site.jobs.repeating["many facts"][1]()
    assert site.triggers == []
    jobs = Jobs()
    add_runs(jobs, 300.0, site.refresh, lambda: False, past)
    assert set(jobs.repeating) == {"dbt"}


def test_nothing_is_built_while_there_is_no_room() -> None:
    site = Site(Past())
    site.facts = site.many = True
    site.now, site.held = site.now + 400, "room"
    for name in ("dbt", "many facts"):
        site.jobs.repeating[name][1]()
    assert site.triggers == [] and not any(condition() for condition, _ in site.jobs.once.values())
    site.held = ""
    assert all(condition() for condition, _ in site.jobs.once.values())
    site.jobs.repeating["dbt"][1]()
    assert site.triggers == ["schedule"]
