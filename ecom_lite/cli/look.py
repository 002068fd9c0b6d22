"""Verbs that look in, or touch, the warehouse: refresh, check, migrate."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from ..settings.tree import Settings
from ..terminal.printing import print_table, thousands
from .base import ConfigFile, DataDir, Json, cli, load


@cli.command()
def refresh(
    full: Annotated[bool, typer.Option("--full", help="Build the marts anew from all facts.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Run dbt now: bring the marts up to the facts.

    Works beside a live run and without one. Exits 1 when a model or a data test fails.
    """
    from dataclasses import asdict

    from ..live.client import LiveRun
    from ..run.marts import Marts
    from ..run.opened import opened
    from ..terminal.terminal import Terminal

    settings = load(config, data_dir)
    terminal = Terminal()
    with opened(settings, terminal, "refresh", kafka=False) as now:
        if now.live:  # by the run: dbt is warm there
            result = LiveRun(settings.data_dir).refresh(full_refresh=full, said=terminal.say)
        else:
            result = asdict(Marts(settings, lambda: now.address).refresh("refresh", full_refresh=full, said=terminal.say))
    if json_:
        print(json.dumps(result, default=str))
    else:
        counts = f"{result['models']} models, {result['tests_passed']} tests passed"
        print(f"dbt: {result['status']}, {counts}, {result['seconds']:.1f} s")
        if result["message"]:
            print(result["message"], file=sys.stderr)
    if result["status"] != "success":
        raise typer.Exit(1)


@cli.command()
def check(
    fingerprint: Annotated[
        bool, typer.Option("--fingerprint", help="Print one hash over facts and marts instead: equal content, equal hash.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Take the count, from the first event sent to the last mart.

    Sent = on the broker = facts + duplicates + other events + dead letters; what was broken or sent twice on purpose = what was
    found; sums, marts and closed minutes = facts. Works beside a live run and without one. Exits 1 when a line does not close,
    and names it; with --fingerprint, when the marts are behind the facts.
    """
    if fingerprint:
        _fingerprint(load(config, data_dir), json_)
        return
    from ..check.reconcile import CATCH_UP_S, reconcile
    from ..run.opened import opened
    from ..terminal.terminal import Terminal

    settings, terminal = load(config, data_dir), Terminal()
    with opened(settings, terminal, "check", kafka=True) as now:
        with terminal.busy("dbt is making the first marts"):
            now.wait_first_marts()
        limit_s = CATCH_UP_S if now.live else 0  # without a run nobody loads: nothing to wait for
        report = reconcile(now.address, settings.topics, now.reach.end_offsets, producing=now.producing, catch_up_s=limit_s)
    if json_:
        print(json.dumps(report.as_json(), default=str))
    else:
        rows = [
            ("ok" if line.closes else "OPEN", line.name, thousands(line.left), thousands(line.right), line.note)
            for line in report.lines
        ]
        print_table(["", "line", "left", "right", "remark"], rows)
    report.raise_if_open()
    print("the count closes", file=sys.stderr)


def _fingerprint(settings: Settings, as_json: bool) -> None:
    from dataclasses import asdict

    from ..check.fingerprint import fingerprint as take
    from ..run.opened import opened
    from ..terminal.terminal import Terminal

    with opened(settings, Terminal(), "check", kafka=False) as now:
        found = take(now.address)
    print(json.dumps(asdict(found)) if as_json else found.fingerprint)
    found.raise_if_behind()


@cli.command()
def migrate(
    rotate_passwords: Annotated[
        bool, typer.Option("--rotate-passwords", help="First give the database's roles new random passwords.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Bring the database schema up to this version.

    `run` does it too. Each migration is one transaction; one that was edited after it was applied is refused.
    With --rotate-passwords also beside a live run. Other machines on the same server (postgres.url) then need the new file.
    """
    from ..run.opened import opened
    from ..terminal.terminal import Terminal
    from ..warehouse.migrate import bundled
    from ..warehouse.migrate import migrate as apply

    settings, terminal = load(config, data_dir), Terminal()
    if rotate_passwords:
        from ..run.rotate import rotate

        rotate(settings, terminal)
    with opened(settings, terminal, "migrate", kafka=False) as now:
        applied = apply(now.address, currency=settings.currency, attributes=settings.events.attributes)
    print("\n".join(applied) if applied else f"up to date: {bundled()[-1].name}")
