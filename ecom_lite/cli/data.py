"""Verbs for events as data: generate, produce."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from .base import ConfigFile, DataDir, Json, Source, cli, load, load_one


@cli.command()
def generate(
    events: Annotated[int | None, typer.Option(min=0, help="So many events, to the one.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed makes the same shop. Default: 7")] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="The shop's clock begins here, such as 2026-01-01T00:00Z: equal calls give equal bytes."
        ),
    ] = None,
    history: Annotated[
        str | None, typer.Option(metavar="TIME", help="What the shop did in the last 90d, up to now (or up to --start).")
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="jsonl, csv or parquet. Default: by the name of the file, else jsonl")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to this file, which is replaced when all is made. Default: stdout"),
    ] = None,
    config: ConfigFile = None,
    json_: Annotated[bool, typer.Option("--json", help="With --output: say what was made as JSON on stdout.")] = False,
) -> None:
    """Make the shop's events, without a broker.

    JSON lines are what `run` sends to the topic, byte for byte. CSV and Parquet have one typed column per field. The shop's
    settings count here too (shop.products, shop.customers, shop.orders_per_day ...). Without --start the clock begins so
    many days ago that all events lie in the past.

    \b
    ecom_lite generate --events 1000000 > events.jsonl
    ecom_lite generate --history 90d --output sales.parquet
    ecom_lite generate --seed 7 --start 2026-01-01T00:00Z --events 1000000 | sha256sum
    """
    from ..export.generate import FORMATS
    from ..export.generate import generate as make

    settings = load(config, None, shop__events=events, shop__seed=seed, shop__start=start, shop__history=history)
    output = None if output is None or str(output) == "-" else output
    form = (
        FORMATS.get("" if output is None else output.suffix.lower(), "jsonl") if format_ is None else FORMATS.get(f".{format_}")
    )
    if form is None:
        raise UsageError(f"--format {format_}: there is jsonl, csv and parquet")
    if output is None and json_:
        raise UsageError("--json says on stdout what was made: give the events a file by --output")
    if output is None and form == "parquet" and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal: --output sales.parquet, or > sales.parquet")
    try:
        made = make(settings.shop, form, output, _say)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    _say(str(made))
    if json_:
        print(json.dumps(made.as_json() | {"output": str(output), "format": form}))


@cli.command()
def produce(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="JSON lines, a JSON array, CSV or Parquet, also by gzip or zstd; - reads stdin.")
    ],
    speed: Annotated[
        float | None, typer.Option(min=0.001, help="So many times as fast as the events' timestamps say. Default: 1")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(help="Events per second, or max. Default: as the timestamps say, where there are any")
    ] = None,
    source: Source = None,
    topic: Annotated[str | None, typer.Option(help="Another topic than kafka.topic.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Send nothing: only list the records that are not valid events.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 when one breaks the contract; of a file nothing is sent then.")
    ] = False,
    format_: Annotated[
        str | None, typer.Option("--format", help="csv, json, jsonl or parquet. Default: as the first bytes and the name say")
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Send your own events to the topic.

    To the broker of the live run, or to that of kafka.bootstrap. Each line of JSON, each object of an array goes as it is, a
    row of CSV or Parquet as one object with the names of its columns; the key is its user_id. What breaks the contract
    becomes a dead letter, and the first of them are named. A row of CSV that does not fit its header is named and not sent.
    Exits 1 when something could not be sent; with --check or --strict, when one breaks the contract. With --strict a file
    is read twice, and sent only when all of it is valid; stdin is sent as it comes.

    \b
    ecom_lite produce events.jsonl                  at the pace of its timestamps
    ecom_lite produce events.jsonl --speed 60       an hour in a minute
    ecom_lite produce events.jsonl --rate max
    ecom_lite produce sales.csv --rate max --strict
    ecom_lite produce tills.csv --source pos        to the topic of [events.pos], judged by it
    tail -f shop.log | ecom_lite produce -
    ecom_lite produce events.jsonl --check
    """
    from ..live.broker import bootstrap_of
    from ..own_events.formats import format_of
    from ..own_events.send import Wish, send_file

    settings = load_one(config, data_dir, source, topic)
    result = send_file(settings, file, Wish.of(speed, rate, check, strict, format_of(format_)), _say, bootstrap_of)
    if json_:
        print(json.dumps(result.as_json()))
    _say(str(result))
    if result.interrupted:
        raise typer.Exit(130)
    if result.unsent or ((check or strict) and result.broken):
        raise typer.Exit(1)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
