"""The verb that builds the marts: refresh."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from ..errors import UsageError
from ..terminal.printing import print_table, thousands
from .base import ConfigFile, DataDir, Json, cli, load

GOOD: Final = ("success", "selected")
ERROR_CHARS: Final = 80  # of a model's first error in the table: the whole of it is in ops.dbt_models

Select = Annotated[
    list[str] | None, typer.Option("--select", metavar="MODEL", help="This model and what it is made from; may be repeated.")
]


@cli.command()
def refresh(
    full: Annotated[bool, typer.Option("--full", help="Build the marts anew from all facts.")] = False,
    select: Select = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Run dbt now: bring the marts up to the facts.

    Works beside a live run and without one. Tells of each model as it ends, then how long each took. Exits 1 when a model or a
    data test fails.

    \b
    ecom_lite refresh
    ecom_lite refresh --full
    ecom_lite refresh --select daily_sales --select cohorts
    ecom_lite refresh --select daily_sales,cohorts
    """
    from dataclasses import asdict

    from ..live.client import LiveRun
    from ..run.marts import Marts
    from ..run.opened import opened
    from ..terminal.terminal import Terminal

    settings, models = load(config, data_dir), names(select or ())
    terminal = Terminal()
    marts = Marts(settings, lambda: now.address)
    marts.require_known(models)
    with opened(settings, terminal, "refresh", kafka=False) as now:
        if now.live:  # by the run: dbt is warm there
            result = LiveRun(settings.data_dir).refresh(full_refresh=full, select=models, said=terminal.say)
        else:
            result = asdict(marts.refresh("refresh", full_refresh=full, select=models, said=terminal.say))
    if json_:
        print(json.dumps(result, default=str))
    else:
        show(result)
    if result["status"] not in GOOD:
        raise typer.Exit(1)


def names(given: Sequence[str]) -> list[str]:
    """The models that were named, each once; several may stand in one argument, as dbt takes them. Raises UsageError."""
    found = list(dict.fromkeys(name for text in given for name in text.replace(",", " ").split()))
    if given and not found:
        raise UsageError("--select names no model; without it all are built")
    return found


def show(result: Mapping[str, Any]) -> None:
    """The timing table and what came of it on stdout, what is wrong on stderr."""
    print_table(["model", "seconds", "rows", "tests", "first error"], [_row(model) for model in result["by_model"]])
    counts = f"{result['models']} models, {result['tests_passed']} tests passed"
    failed = f", {result['tests_failed']} failed" if result["tests_failed"] else ""
    print(f"dbt: {result['status']}, {counts}{failed}, {result['seconds']:.1f} s")
    if result["message"]:
        print(result["message"], file=sys.stderr)


def _row(model: Mapping[str, Any]) -> list[str]:
    passed, failed, error = model["tests_passed"], model["tests_failed"], model["error"]
    tests = f"{passed}, {failed} failed" if failed else str(passed or "")
    short = error if len(error) <= ERROR_CHARS else f"{error[: ERROR_CHARS - 3]}..."
    rows = "" if model["rows"] is None else thousands(model["rows"])
    return [model["model"], f"{model['seconds']:.2f}".rjust(7), rows.rjust(11), tests, short]
