"""The verb load: loaders only, in the foreground."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .base import ConfigFile, DataDir, Json, cli
from .base import load as load_settings
from .life import seconds


@cli.command()
def load(
    processes: Annotated[int | None, typer.Option(min=1, max=16, help="How many processes. Default: load.processes")] = None,
    for_: Annotated[str | None, typer.Option("--for", metavar="TIME", help="End by itself after 60s, 5m or 2h.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Run loaders only.

    For a topic that is too much for one machine, or one process.
    Set kafka.bootstrap and postgres.url to the servers of another machine; without them the run of this data folder is joined.
    All loaders of a topic share its partitions; when one dies the others take its share over. Ctrl-C ends it once what is on the
    topic is loaded. The schema must be there: `ecom_lite migrate`.

    \b
    ECOM_LITE_KAFKA__BOOTSTRAP=host:9092 ECOM_LITE_POSTGRES__URL=postgresql://... ecom_lite load --processes 4
    """
    from ..run.load_only import load_only
    from ..terminal.terminal import Terminal

    settings = load_settings(config, data_dir, load__processes=processes)
    terminal = Terminal()
    code, summary = load_only(settings, None if for_ is None else seconds(for_), terminal)
    if json_:
        print(json.dumps(summary))
    elif summary:
        terminal.say(
            f"loaded {summary['facts']:,} facts, {summary['duplicates']:,} duplicates, {summary['other']:,} other events and "
            f"{summary['dead']:,} dead letters in {summary['seconds']:g} s"
        )
    raise typer.Exit(code)
