"""The verbs for the lake: how to attach it, and the same as plain files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..terminal.printing import print_table
from .base import ConfigFile, DataDir, Json, cli, load

lake = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The facts as Parquet files: attach, export.")
cli.add_typer(lake, name="lake")


@lake.command("attach")
def attach(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Print the statement by which any DuckDB attaches the lake.

    To read, as the role ecom_reader, whose password is in it. While a run is up; the server of a run that is over is down. DuckDB
    1.5 or newer; the files must be where the run has them.

    \b
    ecom_lite lake attach
    duckdb -cmd "$(ecom_lite lake attach)" -c "SELECT count(*) FROM lake.sales"
    """
    from ..errors import EcomLiteError
    from ..lake.reader import open_lake, statement
    from ..live.lock import holder
    from ..run.reach import live_reach, named_address

    settings = load(config, data_dir)
    if settings.postgres.url.get_secret_value():
        address = named_address(settings)
    elif (holder(settings.data_dir) or {}).get("purpose") != "run":
        raise EcomLiteError(f"there is no run in {settings.data_dir}, so its server is down: start `ecom_lite run`")
    else:
        address = live_reach(settings).address
    with open_lake(address):  # or its error
        print(statement(address))


@lake.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Gets sales.parquet, returns.parquet and so on.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Write the lake as plain Parquet, a file for each table, all of one moment.

    Beside a live run or without one. Files that are there already are not replaced.

    \b
    ecom_lite lake export sales-of-november
    """
    from ..lake.export import export as write
    from ..lake.reader import open_lake
    from ..run.opened import opened
    from ..settings.data_dir import LAKE
    from ..terminal.terminal import Terminal

    settings = load(config, data_dir)
    with opened(settings, Terminal(), "lake", kafka=False) as now:
        with open_lake(now.address, settings.data_dir / LAKE) as reader:
            rows = write(reader, folder)
    if json_:
        print(json.dumps({"folder": str(folder), "rows": rows}))
        return
    print_table(["file", "rows"], [(str(folder / f"{table}.parquet"), f"{count:,}") for table, count in rows.items()])
    sys.stdout.flush()
