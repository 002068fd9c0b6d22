"""Verbs that ask the warehouse: sql, psql, tables. People wait for their start: what is slow to import comes where it is used."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..ask.warm import Warm
from ..errors import UsageError
from .asking import Asked, carry_out, looked_for
from .base import ConfigFile, DataDir, Json, cli, load


@cli.command()
def sql(
    statement: Annotated[
        str | None,
        typer.Argument(help="One SQL statement (DuckDB's dialect). Without one a prompt, or the statements that stdin has."),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", "-f", help="table, csv, json, markdown or parquet. Default: as --output ends, else table"),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="The same as --format json: one object per row.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the answer to this file.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many rows. Default: all; of a table what fits the screen, or 1000")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0, help="End a question after so many seconds; 0 never.")] = 30,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Ask the warehouse, read-only.

    Schemas: warehouse, marts, realtime, ops; lake: the same facts as Parquet, seconds old; view memory.main.lake: the raw
    archive. It takes SELECT, FROM, WITH, VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT, and EXPLAIN of these; nothing is written,
    and nothing else is opened. All tables of a question are read at one moment.

    Without a statement there is a prompt on a terminal (history, Tab, .help); the statements of a file are asked one after the
    other, up to the first that fails.

    \b
    ecom_lite sql "FROM sales_by_category ORDER BY revenue DESC"
    ecom_lite sql --json "FROM marts.customer_ltv WHERE segment = 'VIP'"
    ecom_lite sql -o sales.parquet "FROM fact_sales" --timeout 300
    ecom_lite sql < questions.sql
    """
    asked = Asked(statement, format_, json_, output, limit, timeout, data_dir, config)
    warm = Warm()  # beside the settings: neither is waited for twice
    carry_out(asked, warm, looked_for(asked))


@cli.command(context_settings={"ignore_unknown_options": True})
def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="For psql, as they are, such as -c 'SELECT 1'.")] = None,
    with_: Annotated[str | None, typer.Option("--with", help="psql or pgcli. Default: psql, where there is none pgcli")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Open psql, or pgcli, on the warehouse, to read.

    As the role ecom_reader. PostgreSQL's own SQL and commands (\\d+, \\timing). The password is handed over by the environment.

    \b
    ecom_lite psql
    ecom_lite psql -c "SELECT count(*) FROM warehouse.fact_sales"
    ecom_lite psql --with pgcli
    """
    from ..ask.psql import find_program, run
    from ..run.opened import opened

    program = find_program(with_)
    settings = load(config, data_dir)
    with opened(settings, None, "psql", kafka=False) as now:
        code = run(program, now.address, arguments or [])
    raise typer.Exit(code)


@cli.command()
def tables(
    word: Annotated[str, typer.Argument(help="Only those of this schema, or with this word in their name.")] = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """List the tables and views that `sql` can ask.

    With about how many rows each has, and what one of them is. `ecom_lite sql "DESCRIBE marts.daily_sales"` shows its columns,
    docs/tables.md what they mean.
    """
    from ..ask.asker import has_lake
    from ..ask.catalogue import read_catalogue
    from ..ask.listing import as_json
    from ..ask.listing import tables as listed
    from ..ask.near import none_listed
    from ..run.opened import opened

    settings = load(config, data_dir)
    with opened(settings, None, "tables", kafka=False) as now:
        catalogue = read_catalogue(now.address, lake=has_lake(settings.data_dir))
    if json_:
        print(json.dumps(as_json(catalogue, word)))
        return
    lines = listed(catalogue, shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize, word)
    if not lines:
        raise UsageError(none_listed(word, catalogue))
    print("\n".join(lines))
