"""The verb `check`: the count, and all other named checks, ours and the user's."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from ..errors import CheckFailed, EcomLiteError, in_words
from ..settings.tree import Settings
from ..settings.values import duration_s
from ..terminal.printing import print_table, thousands
from .base import ConfigFile, DataDir, Json, cli, load

if TYPE_CHECKING:
    from ..check.named import Check
    from ..check.verdict import Report
    from ..run.opened import Opened
    from ..terminal.terminal import Terminal

WATCH: Final = "60s"
SHOWN: Final = {"pass": "ok", "fail": "OPEN", "skipped": "skipped", "error": "ERROR"}


class Watched(TyperCommand):
    """`--watch` may stand alone: then it is once a minute."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        for place in [place for place, arg in enumerate(args) if arg == "--watch"]:
            if not args[place + 1 : place + 2] or not args[place + 1][0].isdigit():
                args = [*args[:place], f"--watch={WATCH}", *args[place + 1 :]]
        return super().parse_args(ctx, args)


@cli.command(cls=Watched)
def check(
    only: Annotated[str | None, typer.Option(metavar="NAME[,NAME]", help="Only these checks; --list names all.")] = None,
    watch: Annotated[
        str | None, typer.Option(metavar="[SECONDS]", help="Again and again until Ctrl-C, every minute or so often.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write what came of it as JUnit XML, too.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the checks and what they prove; run none.")] = False,
    fingerprint: Annotated[
        bool, typer.Option("--fingerprint", help="Print one hash over facts and marts instead: equal content, equal hash.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read every fact in PostgreSQL: neither the lake nor any kept sum is believed.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Take the count, from the first event sent to the last mart.

    Sent = on the broker = facts + duplicates + other events + dead letters; what was broken or sent twice on purpose = what was
    found; sums, marts and closed minutes = facts; and the checks of your own in the folder checks/. One moment for all of them.
    Works beside a live run and without one. Facts are read from the lake where there is one, and what came since from
    PostgreSQL; a check that fails so is carried out anew on the facts themselves. Exits 1 when a check fails (not where it only
    warns), and names it; with --fingerprint, when the marts are behind the facts.

    \b
    ecom_lite check --only count,faults     by the counters alone: quick with any number of facts
    ecom_lite check --watch 30              until Ctrl-C
    ecom_lite check --junit checks.xml
    """
    settings = load(config, data_dir)
    if fingerprint:
        _fingerprint(settings, json_)
        return
    from ..check.named import built_in, choose, own_checks

    there = [*built_in(), *own_checks(settings.check.folder)]
    chosen = there if only is None else choose(there, (name for part in only.split(",") if (name := part.strip())))
    if list_:
        _list(chosen, json_)
        return
    every_s = _every_s(watch)
    from ..run.opened import opened
    from ..terminal.terminal import Terminal

    terminal = Terminal()
    broker = any(each.needs_broker for each in chosen)
    with opened(settings, terminal, "check", kafka=broker) as now:
        report = _taken(settings, now, chosen, terminal, broker, full)
        _show(report, json_, junit)
        while every_s is not None:
            _say_round(report)
            time.sleep(every_s)
            report = _taken(settings, now, chosen, terminal, broker, full)
            _show(report, json_, junit, only_failing=True)
    report.raise_if_open()
    print(report.said(), file=sys.stderr)


def _every_s(watch: str | None) -> float | None:
    try:
        return None if watch is None else duration_s(watch)
    except ValueError as error:
        raise typer.BadParameter(f"{watch}: {error}", param_hint="--watch") from None


def _taken(settings: Settings, now: Opened, chosen: list[Check], terminal: Terminal, broker: bool, full: bool) -> Report:
    from ..check.reconcile import CATCH_UP_S, reconcile
    from ..lake.counted import Counted
    from ..settings.data_dir import LAKE

    if any("runs" in each.values or "facts" in each.values for each in chosen):
        with terminal.busy("dbt is making the first marts"):
            now.wait_first_marts()
    return reconcile(
        now.address,
        settings.topics,
        now.reach.end_offsets if broker else dict,
        producing=now.producing,
        catch_up_s=CATCH_UP_S if now.live else 0,  # without a run nobody loads: nothing to wait for
        checks=chosen,
        marts_every_s=settings.transform.every_s,
        own_timeout_s=settings.check.timeout_s,
        lake=partial(Counted, now.address, settings.data_dir / LAKE) if settings.lake.enabled else None,
        full=full,
        said=_with_the_loaders(settings, terminal.say),
    )


def _with_the_loaders(settings: Settings, say: Callable[[str], None]) -> Callable[[str], None]:
    """What is waited for, and how the loaders of the live run are where they are not well."""

    def said(text: str) -> None:
        from ..live.state import read_state

        state = read_state(settings.data_dir)
        parts = {} if state is None else state.loaders
        unwell = [f"{name} is {part.state}: {part.detail or 'not well'}" for name, part in parts.items() if not part.ok]
        say("; ".join([text, *unwell]))

    return said


def _show(report: Report, as_json: bool, junit_file: Path | None, *, only_failing: bool = False) -> None:
    if junit_file is not None:
        from ..check.junit import junit

        try:
            junit_file.write_bytes(junit(report.results))
        except OSError as error:
            raise EcomLiteError(f"--junit: {in_words(error)}") from None
    if as_json:
        print(json.dumps(report.as_json(), default=str), flush=True)
        return
    rows = [row for result in report.results for row in _rows(result) if not only_failing or row[0] not in ("ok", "skipped")]
    if rows:
        print_table(["", "check", "line", "left", "right", "remark"], rows)


def _rows(result: Any) -> list[tuple[str, str, str, str, str, str]]:
    """One row for each line; a check that has none has one of its own: why, or what it proves."""
    name, warns = result.check.name, result.check.severity == "warning"
    if not result.lines:
        proves = result.check.description if result.state == "pass" else ""
        return [("warning" if warns and result.state == "error" else SHOWN[result.state], name, proves, "", "", result.reason)]
    return [
        (
            "ok" if line.closes else "warning" if warns else "OPEN",
            name,
            line.name,
            thousands(line.left),
            thousands(line.right),
            line.note,
        )
        for line in result.lines
    ]


def _say_round(report: Report) -> None:
    """One line of talk for each round."""
    try:
        report.raise_if_open()
        told = report.said()
    except CheckFailed as error:
        told = str(error)
    print(f"{datetime.now():%H:%M:%S} {told}", file=sys.stderr, flush=True)


def _list(checks: list[Check], as_json: bool) -> None:
    rows = [
        {"name": each.name, "severity": each.severity, "file": str(each.file or ""), "proves": each.problem or each.description}
        for each in checks
    ]
    if as_json:
        print(json.dumps(rows))
    else:
        print_table(["check", "severity", "what it proves"], [(row["name"], row["severity"], row["proves"]) for row in rows])


def _fingerprint(settings: Settings, as_json: bool) -> None:
    from dataclasses import asdict

    from ..check.fingerprint import fingerprint as take
    from ..run.opened import opened
    from ..terminal.terminal import Terminal

    with opened(settings, Terminal(), "check", kafka=False) as now:
        found = take(now.address)
    print(json.dumps(asdict(found)) if as_json else found.fingerprint)
    found.raise_if_behind()
