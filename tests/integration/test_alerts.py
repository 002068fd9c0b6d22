"""Alerts in a real database: what is asked and refused, what survives a restart, how changes are told, and that it is bounded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.alerts.delivery import BATCH, Delivery, Patience
from ecom_lite.alerts.rules import Rule
from ecom_lite.alerts.store import KEPT_CHANGES, MOST_WAITING
from ecom_lite.alerts.topic_outlet import TopicOutlet
from ecom_lite.alerts.webhook import Webhook
from ecom_lite.settings.load import load_settings
from ecom_lite.topic.client import client_config, ensure_topics
from ecom_lite.warehouse.connect import Address
from tests.runs import DEADLINE_S
from tests.unit.alerts.test_webhook import Receiver, receiver

from .alerting import Watch, own
from .topics import records_of

__all__ = ["receiver"]
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SWITCH = "SELECT lost FROM ops.consumer_offsets WHERE topic = 'switch'"  # a number that a test turns


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def turn(warehouse: Address, value: int) -> None:
    with warehouse.connect("admin") as admin:
        admin.execute("DELETE FROM ops.consumer_offsets WHERE topic = 'switch'")
        admin.execute(
            "INSERT INTO ops.consumer_offsets (topic, partition, first_offset, next_offset, epoch, lost) "
            "VALUES ('switch', 0, 0, %s, 1, %s)",
            [value, value],
        )


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ("SELECT 1 WHERE false", "its question has no data"),
        ("SELECT NULL::int", "its question has no data"),
        ("SELECT 'NaN'::float8", "its question has no data"),
        ("SELECT 1, 2", "its question gives 2 columns"),
        ("SELECT generate_series(1, 3)", "its question gives several rows"),
        ("SELECT 'x'", "its question gives 'x': it must give a number"),
        ("SELECT\n1 +\nnope", 'its question failed, line 3: column "nope" does not exist'),
        ("SELECT 1; SELECT 2", "syntax error"),
        ("DELETE FROM ops.shops", "syntax error"),
        ("WITH gone AS (DELETE FROM ops.shops RETURNING 1) SELECT count(*) FROM gone", "at the top level"),
        ("SELECT pg_sleep(20)", "its question took longer than alerts.timeout_s"),
        ("SELECT nextval('warehouse.dim_user_user_key_seq')", "permission denied"),
        ("SELECT count(*) FROM marts.nowhere", 'relation "marts.nowhere" does not exist'),
        ("SELECT 1 / 0", "division by zero"),
    ],
)
def test_what_cannot_be_answered_is_unknown_and_says_why(warehouse: Address, tmp_path: Path, question: str, problem: str) -> None:
    rules = [own(tmp_path, question=question), own(tmp_path, name="other", question="SELECT 6 -- a remark")]
    watch = Watch(warehouse, rules, tmp_path, timeout_s=2 if "sleep" in question else 60)  # a busy machine is slow with any
    assert watch.states(NOW) == {"mine": "unknown", "other": "firing"}, "one that fails leaves the others alone"
    found = watch.evaluator.figures["mine"]
    assert problem in found.problem and "\n" not in found.problem and found.told == ""


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ("SELECT 1", "its question gives 1 column: it must give one row with two numbers: the value, and how far one event"),
        ("SELECT 1, 0", "its question gives 0 as how far one event moves it: it must give a number above 0"),
        ("SELECT 1, NULL::int", "its question gives None as how far"),
    ],
)
def test_with_chance_a_question_has_to_say_how_far_an_event_moves_it(
    warehouse: Address, tmp_path: Path, question: str, problem: str
) -> None:
    rule = own(tmp_path, question=question, threshold=None, deviation={"above": 5, "chance": 4})
    watch = Watch(warehouse, [rule], tmp_path)
    assert watch.state(NOW, "mine") == "unknown" and watch.evaluator.figures["mine"].problem.startswith(problem)


def test_a_question_is_asked_at_its_moment(warehouse: Address, tmp_path: Path) -> None:
    question = (
        "SELECT extract(epoch FROM $now - ($now - $window)) + 1e6 * $marts_every_s + extract(hour FROM $now AT TIME ZONE 'UTC')"
    )
    rule = own(tmp_path, question=question, window="10m", threshold={"above": 0})
    watch = Watch(warehouse, [rule], tmp_path, marts_every_s=2)
    watch.states(NOW)
    assert watch.evaluator.figures["mine"].value == 600 + 2e6 + 12


def test_it_fires_once_survives_restarts_and_is_over(warehouse: Address, tmp_path: Path) -> None:
    rule = own(tmp_path, question=SWITCH, **{"for": "20s"})
    turn(warehouse, 3)

    def fresh(up_since: datetime = NOW - timedelta(hours=1), rule: Rule = rule) -> Watch:
        return Watch(warehouse, [rule], tmp_path, up_since=up_since)

    first = fresh()
    assert first.state(at(0), "mine") == "ok" and first.evaluator.news() == []
    turn(warehouse, 9)
    assert first.state(at(10), "mine") == "pending"
    assert fresh().state(at(20), "mine") == "pending", "a restart does not begin to count anew"
    second = fresh()
    assert second.state(at(30), "mine") == "firing"
    assert [(change.after, change.told) for change in second.evaluator.news()] == [("firing", "9 (fires above 5)")]
    third = fresh()
    assert third.state(at(40), "mine") == "firing" and third.evaluator.news() == []
    assert third.evaluator.figures["mine"].since == at(30).isoformat()
    waiting = own(tmp_path, question=SWITCH, after_start="5m")
    started = fresh(up_since=at(45), rule=waiting)
    assert started.state(at(50), "mine") == "firing" and started.evaluator.figures["mine"].problem.startswith(
        "judged once the run"
    )
    turn(warehouse, 1)
    last = fresh()
    assert last.state(at(60), "mine") == "ok"
    assert [change.after for change in last.evaluator.news()] == ["ok"]
    assert last.changes() == [
        ("mine", None, "ok"),
        ("mine", "ok", "pending"),
        ("mine", "pending", "firing"),
        ("mine", "firing", "ok"),
    ]


def test_a_rule_waits_for_its_time_after_the_start_and_for_its_turn(warehouse: Address, tmp_path: Path) -> None:
    rules = [
        own(tmp_path, after_start="60s"),
        own(tmp_path, name="seldom", every="30s", question="SELECT extract(second FROM $now)"),
    ]
    watch = Watch(warehouse, rules, tmp_path, up_since=NOW)
    assert watch.states(at(1)) == {"mine": "unknown", "seldom": "ok"}
    assert watch.evaluator.figures["mine"].problem == "judged once the run is up for 1 min: 59 s to go"
    assert watch.states(at(11)) == {"mine": "unknown", "seldom": "ok"}, "its turn has not come"
    assert watch.states(at(31)) == {"mine": "unknown", "seldom": "firing"}
    assert watch.states(at(61))["mine"] == "firing"


def test_rules_are_asked_also_after_the_clock_was_put_back(warehouse: Address, tmp_path: Path) -> None:
    watch = Watch(warehouse, [own(tmp_path, question=SWITCH, every="30s")], tmp_path)
    turn(warehouse, 9)
    assert watch.state(at(3_600), "mine") == "firing"
    turn(warehouse, 1)
    assert watch.state(at(3_610), "mine") == "firing", "its turn has not come"
    assert watch.state(at(0), "mine") == "ok"


def test_a_rule_that_is_gone_is_over_and_forgotten(warehouse: Address, tmp_path: Path) -> None:
    both = [own(tmp_path), own(tmp_path, name="other")]
    assert Watch(warehouse, both, tmp_path).states(NOW) == {"mine": "firing", "other": "firing"}
    later = Watch(warehouse, both[:1], tmp_path)
    assert later.states(at(10)) == {"mine": "firing"}
    assert later.changes()[-1] == ("other", "firing", "removed")
    with warehouse.connect("ecom_reader") as reader:
        assert reader.execute("SELECT rule FROM ops.alerts").fetchall() == [("mine",)]


def test_two_runs_on_one_warehouse_fire_once(warehouse: Address, tmp_path: Path) -> None:
    rule = own(tmp_path)
    one, other = Watch(warehouse, [rule], tmp_path), Watch(warehouse, [rule], tmp_path)
    assert one.state(at(0), "mine") == other.state(at(1), "mine") == "firing"
    assert one.changes() == [("mine", None, "firing")]


def outlet_of(bootstrap: str, topic: str) -> tuple[TopicOutlet, dict[str, Any]]:
    kafka = load_settings(env={}).kafka
    client = client_config(kafka, bootstrap)
    return TopicOutlet(topic, lambda: client), client


def test_changes_reach_the_topic_at_least_once_also_where_the_broker_was_away(
    warehouse: Address, kafka_bootstrap: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecom_lite.alerts.topic_outlet.FLUSH_S", DEADLINE_S)  # a busy broker takes what it is sent later
    alerts = f"{topic}.alerts"
    outlet, client = outlet_of(kafka_bootstrap, alerts)
    ensure_topics(client, topic, 4, f"{topic}.dlq", alerts_topic=alerts)
    clock = [at(0)]
    nowhere, _ = outlet_of("127.0.0.1:1", alerts)
    away = Delivery(warehouse, nowhere, Patience(), lambda: clock[0])
    turn(warehouse, 9)
    rule = own(tmp_path, question=SWITCH, title="Too many", unit="records", board="explorer")
    watch = Watch(warehouse, [rule], tmp_path, deliveries=[("topic", away)])
    assert away.deliver() == 0, "nothing waits"
    assert watch.state(at(0), "mine") == "firing"
    assert away.deliver() == 0
    clock[0] = at(0.5)
    assert away.deliver() == 0
    with warehouse.connect("ecom_reader") as reader:
        (row,) = reader.execute("SELECT outlet, attempts, not_before, error FROM ops.alert_outbox").fetchall()
    assert row[:3] == ("topic", 1, at(1)) and row[3].startswith("nothing listens at 127.0.0.1:")
    turn(warehouse, 1)
    assert watch.state(at(10), "mine") == "ok"
    clock[0] = at(11)
    delivery = Delivery(warehouse, outlet, Patience(), lambda: clock[0])  # a run that comes later finds what was left
    assert delivery.deliver() == 2 and delivery.deliver() == 0
    records = records_of(client, alerts)
    assert [record.key for record in records] == [b"mine", b"mine"]
    first, second = (json.loads(record.value) for record in records)
    assert first == {
        "version": 1, "id": first["id"], "rule": "mine", "title": "Too many", "severity": "warning", "state": "firing",
        "at": at(0).isoformat(), "since": at(0).isoformat(), "value": 9.0, "unit": "records",
        "told": "9 records (fires above 5)", "what_to_do": "Look.", "board": "explorer",
    }  # fmt: skip
    assert (second["state"], second["since"], second["value"]) == ("resolved", at(0).isoformat(), 1.0)
    assert second["id"] > first["id"]


def test_what_is_over_is_never_told_before_what_fired(warehouse: Address, tmp_path: Path, receiver: Receiver) -> None:
    clock = [at(0)]
    hook = Delivery(warehouse, Webhook(receiver.url, "", 60, clock=lambda: 0.0), Patience(first_s=20), lambda: clock[0])
    turn(warehouse, 9)
    watch = Watch(warehouse, [own(tmp_path, question=SWITCH)], tmp_path, deliveries=[("webhook", hook)])
    assert watch.state(at(0), "mine") == "firing"
    receiver.answers = [500]
    assert hook.deliver() == 0, "refused, and put off"
    turn(warehouse, 1)
    assert watch.state(at(10), "mine") == "ok"
    clock[0] = at(11)
    hook.wake()
    assert hook.deliver() == 0, "the second waits behind the first"
    clock[0] = at(21)
    hook.wake()
    assert hook.deliver() == 2
    assert [body["state"] for _, body in receiver.received] == ["firing", "firing", "resolved"]


def test_the_webhook_is_tried_again_and_given_up_in_the_end(
    warehouse: Address, tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [at(0)]
    hook = Delivery(warehouse, Webhook(receiver.url, "", 60), Patience(most=3), lambda: clock[0])
    turn(warehouse, 9)
    watch = Watch(warehouse, [own(tmp_path, question=SWITCH)], tmp_path, deliveries=[("webhook", hook)])
    watch.states(at(0))
    receiver.answers = [500, 503]
    sent = []
    for seconds in (0, 1, 3, 4):
        clock[0] = at(seconds)
        sent.append(hook.deliver())
    assert sent == [0, 0, 1, 0] and len(receiver.received) == 3
    turn(warehouse, 1)
    watch.states(at(10))
    receiver.answers = [500] * 9
    for seconds in range(10, 100, 5):
        clock[0] = at(seconds)
        assert hook.deliver() == 0
    assert len(receiver.received) == 6, "three attempts"
    said = caplog.text
    assert "given up after 3 attempts, the webhook was never told: mine resolved" in said
    assert said.count("alerts do not reach the webhook, which is tried again: http://127.0.0.1:") == 2
    assert "hush" not in said and "secret" not in said
    with warehouse.connect("ecom_reader") as reader:
        assert reader.execute("SELECT count(*) FROM ops.alert_outbox").fetchone() == (0,)


def test_history_and_outbox_are_bounded(warehouse: Address, tmp_path: Path, receiver: Receiver) -> None:
    # By its clock a pass takes no time: one that takes long sends less.
    hook = Delivery(warehouse, Webhook(receiver.url, "", 60, clock=lambda: 0.0), Patience(), lambda: at(0))
    watch = Watch(warehouse, [own(tmp_path)], tmp_path, deliveries=[("webhook", hook)])
    with warehouse.connect("admin") as admin:
        admin.execute(
            "INSERT INTO ops.alert_changes "
            "(at, rule, title, severity, before, after, since, value, unit, told, what_to_do, board) "
            "SELECT now(), 'old', '', 'info', 'firing', 'ok', now(), 1, '', '', '', '' FROM generate_series(1, %s)",
            [KEPT_CHANGES + 500],
        )
        admin.execute(
            "INSERT INTO ops.alert_outbox (outlet, change_id, not_before) SELECT 'webhook', change_id, %s FROM ops.alert_changes",
            [at(0)],
        )
    watch.states(at(0))
    with warehouse.connect("ecom_reader") as reader:
        assert reader.execute("SELECT count(*) FROM ops.alert_changes").fetchone() == (KEPT_CHANGES,)
        assert reader.execute("SELECT count(*) FROM ops.alert_outbox").fetchone() == (MOST_WAITING,)
    assert hook.deliver() == BATCH and hook.deliver() == BATCH
    assert len({body["id"] for _, body in receiver.received}) == 2 * BATCH
