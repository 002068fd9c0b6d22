"""What one message that is refused does to the others, on an outbox that is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecom_lite.alerts.delivery import Delivery, Patience, Undelivered
from ecom_lite.alerts.message import AlertMessage
from ecom_lite.warehouse.sqlfiles import read_sql

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def statement(name: str) -> bytes:
    return read_sql("ecom_lite.alerts", name)


class Outbox:
    """Stands in for the address of a warehouse: what `ops.alert_outbox` does, for changes with these rules."""

    def __init__(self, rules: Sequence[str]) -> None:
        self.rules = dict(enumerate(rules, 1))
        self.due = dict.fromkeys(self.rules, NOW)
        self.attempts = dict.fromkeys(self.rules, 0)

    @contextmanager
    def connect(self, role: str) -> Iterator[Outbox]:
        yield self

    def execute(self, text: bytes, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        if text == statement("waiting"):
            return [self.row(change) for change in self.rules if self.told_now(change, values["now"])]
        for change in values["changes"]:
            if text == statement("delivered"):
                del self.rules[change]
            else:
                assert text == statement("put_off")
                self.due[change], self.attempts[change] = values["not_before"], self.attempts[change] + 1
        return []

    def told_now(self, change: int, now: datetime) -> bool:
        same = [other for other, rule in self.rules.items() if rule == self.rules[change] and other <= change]
        return all(self.due[other] <= now for other in same)

    def row(self, change: int) -> tuple[Any, ...]:
        return (change, NOW, self.rules[change], "", "warning", "firing", NOW, 1.0, "", "", "", "", self.attempts[change])


class Picky:
    """A webhook that never takes what some rules say, and says when it was asked."""

    name = "webhook"

    def __init__(self, *refused: str) -> None:
        self.refused, self.told, self.tries = set(refused), list[int](), list[str]()

    def send(self, messages: Sequence[AlertMessage]) -> int:
        for number, message in enumerate(messages):
            self.tries.append(message.rule)
            if message.rule in self.refused:
                raise Undelivered("answered 400", number, one=True)
            self.told.append(message.id)
        return len(messages)


def carry(rules: Sequence[str], outlet: Picky, seconds: int, patience: Patience) -> Outbox:
    clock = [NOW]
    outbox = Outbox(rules)
    address: Any = outbox
    delivery = Delivery(address, outlet, patience, lambda: clock[0])
    for second in range(seconds):
        clock[0] = NOW + timedelta(seconds=second)
        delivery.deliver()
    return outbox


def test_what_is_refused_for_itself_takes_no_other_along() -> None:
    hook = Picky("odd")
    outbox = carry(["lag", "odd", "disk", "odd", "disk"], hook, 5, Patience(most=20))
    assert hook.told == [1, 3, 5], "all but those of the rule that is refused, in their order"
    assert outbox.attempts[4] == 0, "it waits behind the first of its rule"


def test_each_is_tried_as_often_as_it_may_be_and_at_its_times() -> None:
    hook = Picky("odd", "lag")
    outbox = carry(["odd", "lag", "odd"], hook, 200, Patience(most=5))
    assert (hook.tries.count("odd"), hook.tries.count("lag"), outbox.rules) == (10, 5, {})


@pytest.mark.parametrize("behind", [[], ["odd"], ["lag"]])
def test_the_first_is_tried_again_when_it_is_due_whatever_is_behind_it(behind: list[str]) -> None:
    hook = Picky("odd")
    carry(["odd", *behind], hook, 20, Patience(most=20))
    assert hook.tries.count("odd") == 5, "at once, and after 1, 2, 4 and 8 s"
