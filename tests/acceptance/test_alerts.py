"""Alerts of a real run: a fault fires one, and it is told in each place where somebody looks; without the fault it is over."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.settings.load import load_settings
from ecom_lite.topic.client import client_config
from tests.integration.topics import records_of
from tests.runs import DEADLINE_S, LightRun, wait_for
from tests.unit.alerts.rule_text import rule_text
from tests.unit.alerts.test_webhook import Receiver

QUESTION = "SELECT count(*) FROM ops.dead_letters WHERE loaded_at > $now - $window AND loaded_at <= $now"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[LightRun]:
    folder = tmp_path_factory.mktemp("alerts")
    rules = folder / "rules"
    rules.mkdir()
    # Longer than a busy machine keeps the loader waiting: what fires stays so until it has been looked at everywhere.
    broken = rule_text(name="broken", title="Broken records", question=QUESTION, window="12s", every="1s", **{"for": "1s"})
    (rules / "broken.toml").write_text(broken)
    (rules / "wrong.toml").write_text(rule_text(name="wrong", question="SELECT count(*) FROM nowhere", every="1s"))
    env = {
        "ECOM_LITE_ALERTS__FOLDER": str(rules), "ECOM_LITE_ALERTS__WEBHOOK": receiver.url,
        "ECOM_LITE_ALERTS__WEBHOOK_HEADER": "Authorization: Bearer hush",
    }  # fmt: skip
    run = LightRun(folder / "data", "--rate", "50", env=env)
    try:
        yield run.wait_ready()
    finally:
        run.close()


def page(run: LightRun, path: str) -> str:
    with urllib.request.urlopen(run.state["addresses"]["dashboards"].partition("#")[0] + path, timeout=DEADLINE_S) as answer:
        return str(answer.read().decode())


def told_of(rule: str, messages: Iterable[Any]) -> list[str]:
    """The states that were told of one rule, each message once: it comes at least once, and others may fire meanwhile."""
    return list({message["id"]: str(message["state"]) for message in messages if message["rule"] == rule}.values())


def stands(run: LightRun, rule: str) -> dict[str, Any]:
    found: dict[str, Any] = run.state.get("alerts", {}).get(rule, {})
    return found


def test_a_fault_fires_an_alert_that_is_told_everywhere_until_it_is_over(run: LightRun, receiver: Receiver) -> None:
    wait_for(lambda: stands(run, "broken").get("state") == "ok", lambda: f"the rule to be judged: {run.state.get('alerts')}")
    assert run.verb("fault", "malformed=30%").returncode == 0
    wait_for(lambda: stands(run, "broken").get("state") == "firing", lambda: f"it to fire: {stands(run, 'broken')}")

    # A loader that stands still for longer than the window lets it be over for a moment: it is waited for at each place.
    def on_the_page() -> dict[str, Any] | None:
        alerts = {alert["rule"]: alert for alert in json.loads(page(run, "api/alerts"))}
        return alerts["broken"] if alerts["broken"]["state"] == "firing" else None

    def listed() -> bool:
        said = run.verb("alerts")
        return "broken: Look." in said.stderr and said.stdout.splitlines()[2].startswith("firing")

    wait_for(lambda: 'ecom_lite_alert_firing{rule="broken"} 1.0' in page(run, "metrics"), "the metrics")
    assert wait_for(on_the_page, "the page")["told"].endswith("(fires above 5)")
    wait_for(lambda: "Broken records: " in run.verb("status").stdout, "`status`")
    wait_for(listed, lambda: f"`alerts`: {run.verb('alerts')}")
    wait_for(lambda: "alert (warning): Broken records: " in run.stderr, "the terminal to tell it")
    assert run.verb("fault", "malformed=0").returncode == 0
    wait_for(lambda: stands(run, "broken").get("state") == "ok", "it to be over")
    wait_for(lambda: "alert is over: Broken records: " in run.stderr, "the terminal to tell it")

    def by_the_webhook() -> list[str]:
        return told_of("broken", (body for _, body in list(receiver.received)))

    wait_for(lambda: len(by_the_webhook()) >= 2, "the webhook")
    assert by_the_webhook()[:2] == ["firing", "resolved"]
    assert receiver.received[0][0]["Authorization"] == "Bearer hush"
    client = client_config(load_settings(env={}).kafka, run.state["bootstrap"])

    def on_the_topic() -> list[str]:
        return told_of("broken", (json.loads(record.value) for record in records_of(client, "ecommerce_alerts")))

    wait_for(lambda: len(on_the_topic()) >= 2, "the topic")
    assert on_the_topic()[:2] == ["firing", "resolved"]
    secrets = ("hush", "token=secret")
    written = run.stderr + "".join(log.read_text() for log in (run.data_dir / "logs").glob("*.log"))
    assert not [secret for secret in secrets if secret in written + run.verb("config").stdout]


def test_a_question_that_fails_is_unknown_and_said(run: LightRun) -> None:
    why = 'relation "nowhere" does not exist'
    wait_for(lambda: why in stands(run, "wrong").get("problem", ""), lambda: f"the rule to be judged: {stands(run, 'wrong')}")
    assert stands(run, "wrong")["state"] == "unknown"
    assert 'ecom_lite_alert_unknown{rule="wrong"} 1.0' in page(run, "metrics")
    rows = {row["rule"]: row for row in json.loads(run.verb("alerts", "--json").stdout)}
    assert rows["wrong"]["state"] == "unknown" and rows["wrong"]["file"].endswith("wrong.toml")
    # Another of its jobs may have failed this second; were it for our rule's question, it would never be well.
    wait_for(lambda: run.state["parts"]["schedule"]["ok"], "the schedule to be well: it holds up nobody")


def test_our_rules_are_judged_or_say_why_not_and_none_fires(run: LightRun) -> None:
    ours = ("dead_letters", "disk", "lag", "open_check", "order_rate", "returns", "stale_marts")
    wait_for(lambda: all(stands(run, rule) for rule in ours), lambda: f"a first round: {run.state.get('alerts')}")
    # A question that a busy machine has not answered in time is unknown until it is asked again.
    wait_for(
        lambda: all(stands(run, rule).get("state") == "ok" for rule in ("disk", "open_check")),
        lambda: f"the ledger is behind, the count is not open: {run.state.get('alerts')}",
    )
    found = {rule: stands(run, rule) for rule in ours}
    assert found["lag"]["state"] in ("ok", "unknown") and found["order_rate"]["problem"].startswith("judged once the run is up")
    assert not [rule for rule in ours if found[rule]["state"] == "firing" and rule != "dead_letters"], found


def test_a_rule_file_that_is_wrong_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "x.toml").write_text(rule_text(severity="bad"))
    run = LightRun(tmp_path / "data", env={"ECOM_LITE_ALERTS__FOLDER": str(tmp_path / "rules")})
    assert run.wait() == 2, run.stderr
    assert run.stderr.strip() == f"ecom_lite: {tmp_path}/rules/x.toml: severity = 'bad': give info, warning or critical"
