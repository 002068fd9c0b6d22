"""The verb `alerts`: the rules, and how each stands in the live run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ..errors import in_words
from ..terminal.printing import print_table
from .base import ConfigFile, DataDir, Json, cli, load

if TYPE_CHECKING:
    from ..alerts.rules import Rule
    from ..settings.tree import Settings

NOT_WATCHED: Final = "not watched"  # nothing runs here, or alerts.enabled is false
ORDER: Final = {"firing": 0, "pending": 1, "unknown": 2, "ok": 3, NOT_WATCHED: 4}


@cli.command()
def alerts(
    grafana: Annotated[
        Path | None,
        typer.Option("--grafana", metavar="FILE", help="Write the rules as a file of Grafana's alert provisioning instead."),
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """List the rules of alerts, and how each stands in the live run.

    A rule is a .toml file: a question in SQL, bounds, for how long. Yours are in the folder that alerts.folder names. States: ok,
    pending (out of bounds, not for long enough yet), firing, unknown (its question failed, or has no data).

    \b
    ecom_lite alerts --json
    ecom_lite sql "SELECT * FROM ops.alert_changes ORDER BY change_id DESC LIMIT 20"
    """
    from ..run.alerting import rules_of

    settings = load(config, data_dir)
    rules = rules_of(settings)
    if grafana is not None:
        _write(settings, rules, grafana)
        return
    rows = _rows(settings, rules)
    if json_:
        print(json.dumps(rows))
        return
    print_table(
        ["", "rule", "severity", "fires when", "now"],
        [(row["state"], row["rule"], row["severity"], row["fires"], row["problem"] or row["told"]) for row in rows],
    )
    for row in rows:
        if row["state"] == "firing":
            print(f"{row['rule']}: {row['what_to_do']}", file=sys.stderr)


def _rows(settings: Settings, rules: list[Rule]) -> list[dict[str, Any]]:
    from msgspec import to_builtins

    from ..live.lock import holder
    from ..live.state import read_state

    live = (holder(settings.data_dir) or {}).get("purpose") == "run"
    state = read_state(settings.data_dir) if live else None
    known = {} if state is None else state.alerts
    rows = []
    for rule in rules:
        stands = to_builtins(known[rule.name]) if rule.name in known else {"state": NOT_WATCHED}
        row = {
            "rule": rule.name, "title": rule.title, "severity": rule.severity, "fires": rule.fires(), "state": "", "since": None,
            "at": None, "value": None, "unit": rule.unit, "told": "", "problem": "", "what_to_do": rule.what_to_do,
            "board": rule.board, "file": str(rule.file),
        }  # fmt: skip
        rows.append(row | stands)
    return sorted(rows, key=lambda row: (ORDER[row["state"]], row["rule"]))


def _write(settings: Settings, rules: list[Rule], file: Path) -> None:
    from ..alerts.grafana import provisioning
    from ..errors import EcomLiteError

    try:
        file.write_text(
            provisioning(rules, settings.shop.time_zone, settings.transform.every_s, settings.alerts.every_s), "utf-8"
        )
    except OSError as error:
        raise EcomLiteError(f"--grafana: {in_words(error)}") from None
    print(f"wrote {len(rules)} rules to {file}: for Grafana's folder provisioning/alerting", file=sys.stderr)
