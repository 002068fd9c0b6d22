"""A real Grafana takes the rules that are made for it, and comes to the same states as our evaluator."""

from __future__ import annotations

import base64
import json
import shutil
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ecom_lite.alerts.grafana import FILE, provisioning
from ecom_lite.engines.grafana import GrafanaServer, Warehouse, find_grafana
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql
from tests.runs import wait_for

from .alerting import Watch, own, shipped

ROOT = Path(__file__).resolve().parents[2]
BUILT_GRAFANA = Path("~/.cache/ecom_lite/grafana").expanduser()
DEADLINE_S = 90.0


@pytest.fixture
def binary() -> Path:
    found = find_grafana() or (find_grafana(BUILT_GRAFANA) if (BUILT_GRAFANA / "bin" / "grafana").is_file() else None)
    if found is None:
        pytest.skip("no Grafana on PATH, in $GRAFANA_HOME or in the default folder")
    return found


def asked(server: GrafanaServer, path: str) -> Any:
    login = base64.b64encode(f"admin:{server.admin_password}".encode()).decode()
    request = urllib.request.Request(f"{server.url}{path}", headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
        return json.load(answer)


def test_grafana_takes_the_rules_and_judges_as_we_do(binary: Path, warehouse: Address, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with warehouse.connect("admin", autocommit=True) as admin:
        with psycopg.ClientCursor(admin) as cursor:
            cursor.execute(read_sql(__package__ or "", "alert_history"), {"now": now, "days": 30, "returns": 50})
        # Half an hour with nothing but dead letters, and no order in the next hour: two rules are out of their bounds.
        admin.execute("UPDATE ops.load_batches SET dead = 5 WHERE loaded_at > %s", [now - timedelta(minutes=30)])
        admin.execute("DELETE FROM realtime.minutes_by_currency WHERE window_start > %s", [now - timedelta(hours=1)])
        admin.execute("UPDATE ops.load_batches SET loaded_at = loaded_at + interval '10 minutes'")
        admin.execute(
            "INSERT INTO ops.dbt_runs (trigger, started_at, finished_at, status, load_xid_below) "
            "VALUES ('x', now(), now(), 'success', 1)"
        )
    # Of one category in some minutes there are a few only: nothing at all may be chance, and without `chance` it is a drop.
    some = (
        "SELECT coalesce(sum(orders), 0){} FROM realtime.minutes_by_currency WHERE window_start >= $now - interval '30 minutes' "
    )
    some += "AND window_start < $now AND category = 'category 1' AND extract(minute FROM window_start)::int % 5 = 0"
    few = own(tmp_path, name="few", question=some.format(", 1"), threshold=None, deviation={"below": -60, "chance": 4})
    bare = own(tmp_path, name="bare", question=some.format(""), threshold=None, deviation={"below": -60})
    rules = [*shipped(), few, bare]
    assert provisioning(shipped(), "UTC", 300, 10) == (ROOT / "grafana" / FILE).read_text("utf-8")
    (tmp_path / "grafana_files").mkdir()
    shutil.copytree(ROOT / "grafana" / "provisioning", tmp_path / "grafana_files" / "provisioning")
    (tmp_path / "grafana_files" / FILE).write_text(provisioning(rules, "UTC", 300, 10), "utf-8")
    watch = Watch(warehouse, rules, tmp_path)
    ours = watch.states(datetime.now(UTC))
    assert ours["dead_letters"] == ours["order_rate"] == "pending" and ours["lag"] == ours["stale_marts"] == "ok", ours
    assert ours["few"] == "ok" and ours["bare"] == "firing", ours
    server = GrafanaServer(
        binary, tmp_path / "grafana", tmp_path / "logs",
        warehouse=Warehouse(warehouse.host, warehouse.port, warehouse.database, warehouse.passwords["ecom_reader"]),
        provisioning=tmp_path / "grafana_files" / "provisioning", boards=ROOT / "grafana" / "dashboards", alerting=True,
    )  # fmt: skip
    server.start()
    try:
        provisioned = asked(server, "api/v1/provisioning/alert-rules")
        assert {rule["labels"]["rule"] for rule in provisioned} == set(ours)

        def evaluated() -> dict[str, dict[str, Any]]:
            groups = asked(server, "api/prometheus/grafana/api/v1/rules")["data"]["groups"]
            rules = {rule["labels"]["rule"]: rule for group in groups for rule in group["rules"]}
            return rules if len(rules) == len(ours) and all(rule["evaluationTime"] for rule in rules.values()) else {}

        judged = wait_for(evaluated, "Grafana's evaluation of each rule", DEADLINE_S)
        words = {
            "ok": ("inactive",),
            "pending": ("pending", "firing"),
            "firing": ("pending", "firing"),
            "unknown": ("inactive", "pending", "firing"),
        }
        told = {name: (rule["state"], rule["health"], rule.get("lastError", "")) for name, rule in judged.items()}
        for name, state in ours.items():
            assert told[name][0] in words[state] and told[name][1] in ("ok", "nodata"), (name, state, told)
    finally:
        server.stop()
