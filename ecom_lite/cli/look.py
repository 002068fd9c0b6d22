"""Verbs that look in, or touch, the warehouse: refresh, migrate."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

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
def migrate(
    rotate_passwords: Annotated[
        bool, typer.Option("--rotate-passwords", help="First give the database's roles new random passwords.")
    ] = False,
    rebuild_marts: Annotated[
        bool, typer.Option("--rebuild-marts", help="Take another shop.time_zone: the next refresh builds all marts anew.")
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
        applied = apply(
            now.address, currency=settings.currency, attributes=settings.events.attributes, time_zone=settings.shop.time_zone,
            rebuild_marts=rebuild_marts,
        )  # fmt: skip
    print("\n".join(applied) if applied else f"up to date: {bundled()[-1].name}")
