"""Overrides of the shop's settings reach the producer, and the next one after a crash."""

from __future__ import annotations

import threading

from ecom_lite.observe.figures import ControlAnswer, InForce
from ecom_lite.run.shop_control import ShopControl
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.override import ShopOverride

DEADLINE_S = 20.0


class Producer:
    """What a producer does with an override: takes it over at its next turn."""

    def __init__(self) -> None:
        self.waiting: list[ShopOverride] = []
        self.in_force = InForce(rate=5.0)

    def turn(self) -> None:
        for override in self.waiting:
            rate = self.in_force.rate if override.rate is None else override.rate
            faults = {name: share for name, share in override.faults.items() if share}
            self.in_force = InForce(rate=rate, paused=bool(override.paused), faults=faults, held=3)
        self.waiting.clear()


def control(**flags: object) -> tuple[ShopControl, Producer]:
    producer = Producer()
    return ShopControl(load_settings(env={}, flags=flags), producer.waiting.append, lambda: producer.in_force), producer


def test_an_override_is_applied_once_the_producer_says_so() -> None:
    it, producer = control()
    assert it.change(ShopOverride(rate=500.0)) == ControlAnswer(rate=5.0, applied=False)
    producer.turn()
    assert it.change(ShopOverride()) == ControlAnswer(rate=500.0, held=3, applied=True)


def test_looking_sends_the_producer_nothing() -> None:
    it, producer = control()
    it.change(ShopOverride())
    assert producer.waiting == []


def test_overrides_add_up_and_a_restarted_producer_gets_all_of_them() -> None:
    it, _ = control(**{"faults.late": 0.02})
    it.change(ShopOverride(faults={"malformed": 0.01}))
    it.change(ShopOverride(paused=True))
    it.change(ShopOverride(rate="max"))
    assert (it.override.rate, it.override.paused) == ("max", True)
    assert {name: share for name, share in it.override.faults.items() if share} == {"late": 0.02, "malformed": 0.01}


def test_a_fault_that_is_switched_off_is_sent_as_zero() -> None:
    it, producer = control(**{"faults.late": 0.02})
    it.change(ShopOverride(faults={"late": 0.0}))
    assert producer.waiting[0].faults["late"] == 0.0
    producer.turn()
    assert it.change(ShopOverride()).applied


def test_without_an_override_the_rate_is_the_settings_own() -> None:
    it, _ = control()
    assert it.override.rate is None


def test_a_change_and_a_start_of_the_producer_do_not_wait_for_each_other() -> None:
    """A worker is sent nothing while it is given its job, and all overrides are in that."""
    writing, begun, sending, given = threading.Lock(), threading.Event(), threading.Event(), threading.Event()
    jobs: list[ShopOverride] = []

    def send(override: ShopOverride) -> None:
        sending.set()
        with writing:
            pass

    def start() -> None:
        with writing:
            begun.set()
            assert sending.wait(DEADLINE_S)
            jobs.append(it.override)
            given.set()

    it = ShopControl(load_settings(env={}), send, InForce)
    threading.Thread(target=start, daemon=True).start()
    assert begun.wait(DEADLINE_S)
    changing = threading.Thread(target=it.change, args=(ShopOverride(rate=9.0),), daemon=True)
    changing.start()
    assert given.wait(DEADLINE_S), "each waits for the other"
    changing.join(DEADLINE_S)
    assert not changing.is_alive() and jobs[0].rate == 9.0
