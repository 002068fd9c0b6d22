"""What the shop is told while it runs reaches the producer, and the next one after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecom_lite.run.shop_control import Wishes
from ecom_lite.settings.load import load_settings


class Producer:
    """What a producer does with a change: takes it over at its next turn."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []
        self.control: dict[str, Any] = {"rate": 5.0, "paused": False, "faults": {}}

    def figures(self) -> dict[str, Any]:
        return {"control": self.control}

    def turn(self) -> None:
        for change in self.told:
            shares = {name: share for name, share in change["faults"].items() if share}
            self.control = {**self.control, **change, "faults": shares}
        self.told.clear()


def wishes(**flags: object) -> tuple[Wishes, Producer]:
    producer = Producer()
    return Wishes(load_settings(env={}, flags=flags), producer.told.append, producer.figures), producer


def test_a_change_is_applied_once_the_producer_says_so() -> None:
    it, producer = wishes()
    assert it.change({"rate": 500.0}) == {"rate": 5.0, "paused": False, "faults": {}, "applied": False}
    producer.turn()
    assert it.change({}) == {"rate": 500.0, "paused": False, "faults": {}, "applied": True}


def test_looking_tells_the_producer_nothing() -> None:
    it, producer = wishes()
    it.change({})
    assert producer.told == []


def test_changes_add_up_and_a_restarted_producer_gets_all_of_them() -> None:
    it, _ = wishes(**{"faults.late": 0.02})
    it.change({"faults": {"malformed": 0.01}})
    it.change({"paused": True})
    it.change({"rate": "max"})
    all_of_them = it.now()
    assert all_of_them["rate"] == "max"
    assert all_of_them["paused"] is True
    faults = all_of_them["faults"]
    assert isinstance(faults, dict)
    assert {name: share for name, share in faults.items() if share} == {"late": 0.02, "malformed": 0.01}


def test_a_fault_that_is_switched_off_is_told_as_zero() -> None:
    it, producer = wishes(**{"faults.late": 0.02})
    it.change({"faults": {"late": 0.0}})
    assert producer.told[0]["faults"]["late"] == 0.0
    producer.turn()
    assert it.change({})["applied"] is True


def test_without_a_wish_the_rate_is_the_settings_own() -> None:
    it, _ = wishes()
    assert "rate" not in it.now()
