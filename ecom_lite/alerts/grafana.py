"""The same rules for Grafana's own alerting: a provisioning file made from the TOML, with the same SQL and the same bounds.

`python -m ecom_lite.alerts.grafana` writes grafana/provisioning/alerting/ecom_lite.yaml from our rules.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ..settings.bundled import bundled
from ..settings.values import duration_text
from .bounds import LEAST_SPREAD, TO_SIGMA, Deviation, Threshold
from .rules import Rule, read_rules

FILE: Final = Path("provisioning") / "alerting" / "ecom_lite.yaml"
SOURCE: Final = "ecom-lite-postgres"  # uid of the data source, in grafana/provisioning/datasources
FOLDER: Final = "ecom_lite"
LEAST_INTERVAL_S: Final = 10  # Grafana evaluates no group more often
LONGEST_UID: Final = 40  # characters

HEAD: Final = """# Made from alerts/*.toml by `python -m ecom_lite.alerts.grafana`: do not edit by hand.
# `ecom_lite alerts --grafana FILE` makes one with your rules, your time zone and your transform.every_s. (JSON is YAML, too.)
"""


def provisioning(rules: Sequence[Rule], zone: str, marts_every_s: float, every_s: float) -> str:
    """The text of the file: one group for each interval."""
    groups: dict[int, list[Rule]] = {}
    uids = _uids([rule.name for rule in rules])
    for rule in rules:
        wanted = every_s if rule.every_s is None else rule.every_s
        groups.setdefault(max(LEAST_INTERVAL_S, round(wanted / LEAST_INTERVAL_S) * LEAST_INTERVAL_S), []).append(rule)
    made = [
        {
            "orgId": 1, "name": f"ecom_lite every {interval}s", "folder": FOLDER, "interval": f"{interval}s",
            "rules": [_rule(rule, uids[rule.name], zone, marts_every_s) for rule in some],
        }
        for interval, some in sorted(groups.items())
    ]  # fmt: skip
    return HEAD + json.dumps({"apiVersion": 1, "groups": made}, indent=2, ensure_ascii=False) + "\n"


def _uids(names: Sequence[str]) -> dict[str, str]:
    """Of names that begin alike the end is a hash: Grafana refuses the whole file where two rules have one uid."""
    whole = {name: f"ecom-lite-{name.replace('_', '-')}" for name in names}
    short = Counter(uid[:LONGEST_UID] for uid in whole.values())
    return {
        name: uid[:LONGEST_UID] if short[uid[:LONGEST_UID]] == 1
        else f"{uid[: LONGEST_UID - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        for name, uid in whole.items()
    }  # fmt: skip


def _rule(rule: Rule, uid: str, zone: str, marts_every_s: float) -> dict[str, Any]:
    source, expression = {"type": "postgres", "uid": SOURCE}, {"type": "__expr__", "uid": "__expr__"}
    query = {
        "refId": "A", "datasource": source, "format": "table", "rawQuery": True, "editorMode": "code",
        "rawSql": query_of(rule, zone, marts_every_s).replace("$", "$$"),
    }  # fmt: skip
    condition = {
        "refId": "B", "datasource": expression, "type": "threshold", "expression": "A",
        "conditions": [{"type": "query", "evaluator": evaluator_of(rule.bounds), "query": {"params": ["A"]}}],
    }  # fmt: skip
    return {
        "uid": uid, "title": f"{rule.title} ({rule.name})", "condition": "B",
        "data": [
            {"refId": "A", "relativeTimeRange": {"from": 600, "to": 0}, "datasourceUid": SOURCE, "model": query},
            {"refId": "B", "relativeTimeRange": {"from": 0, "to": 0}, "datasourceUid": "__expr__", "model": condition},
        ],
        "noDataState": "NoData", "execErrState": "Error", "for": duration_text(rule.for_s) if rule.for_s else "0s",
        "labels": {"severity": rule.severity, "rule": rule.name},
        "annotations": {"summary": rule.title, "description": rule.what_to_do},
    }  # fmt: skip


def evaluator_of(bounds: Threshold | Deviation) -> dict[str, Any]:
    """Grafana's words for the bounds."""
    if bounds.above is not None and bounds.below is not None:
        return {"type": "outside_range", "params": [bounds.below, bounds.above]}
    if bounds.above is not None:
        return {"type": "gt", "params": [bounds.above]}
    return {"type": "lt", "params": [bounds.below]}


def query_of(rule: Rule, zone: str, marts_every_s: float) -> str:
    """One number: the question's, or how far it is from usual. No row while the run is not up for long enough, or where there is
    nothing to compare with: Grafana's `no data`."""

    def at(moment: str) -> str:
        values = {
            "now": f"({moment})",
            "window": f"interval '{rule.window_s or 0:.15g} s'",
            "marts_every_s": f"{marts_every_s:.15g}",
        }
        return f"(\n{rule.question.filled(values)}\n)"

    up = "" if not rule.after_start_s else (
        f"(SELECT now() - up_since >= interval '{rule.after_start_s:.15g} s' FROM ops.alert_evaluator)"
    )  # fmt: skip
    bounds = rule.bounds
    if isinstance(bounds, Threshold):
        wanted = " AND ".join(filter(None, ["value IS NOT NULL", up]))
        return f"SELECT value FROM (SELECT {at('now()')}::float8 AS value) answer WHERE {wanted}"
    quoted = "'" + zone.replace("'", "''") + "'"
    columns = ["value", "step"] if rule.steps else ["value"]
    named = ", ".join(columns)
    moments = [
        f"((now() AT TIME ZONE {quoted}) - interval '{7 * week} days') AT TIME ZONE {quoted}"
        for week in range(1, bounds.weeks + 1)
    ]
    weeks = " UNION ALL\n".join(f"SELECT * FROM {at(moment)} w" for moment in moments)
    far = f"(a.value::float8 - m.usual) / ({_spread(bounds)})"
    if bounds.chance is not None:
        by_chance = f"{bounds.chance:g} * sqrt(abs(a.value::float8) * coalesce(a.step::float8, 0) + m.usual * m.step)"
        far = f"CASE WHEN abs(a.value::float8 - m.usual) > {by_chance} THEN {far} ELSE 0 END"
    median = "percentile_cont(0.5) WITHIN GROUP (ORDER BY {0}::float8)".format
    medians = ", ".join(f"{median(column)} AS {name}" for column, name in zip(columns, ("usual", "step"), strict=False))
    conditions = " AND ".join(filter(None, ["a.value IS NOT NULL", f"m.weeks >= {bounds.at_least}", up]))
    return (
        f"WITH before AS (SELECT * FROM (\n{weeks}\n) AS week({named}) WHERE value > 0),\n"
        f"median AS (SELECT {medians}, count(*) AS weeks FROM before)\n"
        f"SELECT {far} AS value\n"
        f"FROM {at('now()')} AS a({named}), median m WHERE {conditions}"
    )


def _spread(bounds: Deviation) -> str:
    """What a distance from usual is measured in."""
    if bounds.measure == "percent":
        return "0.01 * m.usual"
    spread = "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(b.value::float8 - m.usual)) FROM before b"
    return f"greatest({TO_SIGMA} * ({spread}), {LEAST_SPREAD} * m.usual)"


def main() -> int:
    """Write the file."""
    file = bundled("grafana") / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(provisioning(read_rules(bundled("alerts")), "UTC", 300, 10), "utf-8")
    sys.stderr.write(f"wrote {file}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
