"""Verbs that look in, or touch, the warehouse: refresh, sql, migrate."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from ..terminal.printing import print_table
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
def sql(
    statement: Annotated[str, typer.Argument(help="One SQL statement (DuckDB's dialect); - reads it from stdin.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object per row.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many rows.")] = 1000,
) -> None:
    """Ask the warehouse, read-only.

    Schemas: warehouse, marts, realtime, ops; view memory.main.lake where Spark has written one. It takes SELECT, FROM, WITH,
    VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT, and EXPLAIN of these; nothing is written, and nothing else is opened.

    \b
    ecom_lite sql "FROM sales_by_category ORDER BY revenue DESC"
    ecom_lite sql --json "FROM marts.customer_ltv WHERE segment = 'VIP'"
    echo "SHOW ALL TABLES" | ecom_lite sql -
    """
    from ..check.duck import attach, query, require_one
    from ..run.opened import opened
    from ..settings.data_dir import LAKE
    from ..terminal.terminal import Terminal

    settings = load(config, data_dir)
    text = sys.stdin.read() if statement == "-" else statement
    require_one(text)
    with opened(settings, Terminal(), "sql", kafka=False) as now:
        connection = attach(now.address, settings.data_dir / LAKE)
        try:
            columns, rows, more = query(connection, text, limit)
        finally:
            connection.close()
    if json_:
        for row in rows:
            print(json.dumps(dict(zip(columns, row, strict=True)), default=str))
    else:
        print_table(columns, rows)
    if more:
        print(f"only the first {limit:,} rows are shown; --limit shows more", file=sys.stderr)


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
