"""The verbs for records of somebody else's shape: try what would become of them, infer a mapping."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ..errors import UsageError
from ..settings.tree import Settings
from ..terminal.printing import print_table
from .base import ConfigFile, DataDir, Json, Source, cli, load_one

events = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Your own events: try what loads, infer a mapping.")
cli.add_typer(events, name="events")

LAST = 1_000
COLUMNS = ("", "order", "customer", "product", "title", "category", "price", "quantity", "revenue", "time")
Form = Annotated[str | None, typer.Option("--format", help="csv, json, jsonl or parquet. Default: as `produce` recognises it")]


class _TopicAlone(TyperCommand):
    """`--topic` without a name means kafka.topic."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given = [*args, "-"]
        named = [
            part
            for arg, following in zip(args, given[1:], strict=True)
            for part in ([arg, ""] if arg == "--topic" and following.startswith("-") else [arg])
        ]
        return super().parse_args(ctx, named)


@events.command("try", cls=_TopicAlone)
def try_(
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="What `produce` takes; - reads stdin.")] = None,
    topic: Annotated[
        str | None,
        typer.Option("--topic", metavar="[NAME]", help="Instead of a file: the newest records of kafka.topic, or of this."),
    ] = None,
    source: Source = None,
    last: Annotated[int | None, typer.Option(min=1, max=10_000, help=f"So many of them. Default: {LAST:,}")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Show so many that load and so many that do not; all are counted.")] = 20,
    format_: Form = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Try what would become of your records, and send nothing.

    By the contract and your [events]: the facts as they would be, what would be a dead letter and why, a count by reason, and
    a mapping for what is not known yet. Exits 1 when a record would become a dead letter.

    \b
    ecom_lite events try sales.csv
    head -1000 shop.log | ecom_lite events try -
    ecom_lite events try --topic --last 100
    """
    from ..contract.events import utc_now
    from ..own_events.attempt import attempt, proposed
    from ..own_events.toml import as_toml

    from_topic = topic is not None or last is not None
    if from_topic == (file is not None):
        raise UsageError("try what? Name a file (- is stdin), or --topic for the newest records of the topic")
    settings = load_one(config, data_dir, source, topic)
    found = _of_topic(settings, last or LAST) if file is None else _of_file(settings, file, format_)
    done = attempt(found, utc_now, limit)
    tried = proposed(done.sample, utc_now()) if done.dies and done.sample else None
    if tried is not None and tried.loads <= done.loads_of_sample:
        tried = None
    if json_:
        helps = None if tried is None else {"loads": tried.loads, "of": tried.of, "events": tried.proposal.settings()}
        print(json.dumps(done.as_json() | {"mapping": helps}))
    else:
        _print(done, list(settings.events.attributes))
        if tried is not None:
            print(f"\nthis in config.toml would load {tried.loads:,} of the first {tried.of:,}, not {done.loads_of_sample:,}:\n")
            print(as_toml(tried.proposal, source=source), end="")
    if done.dies:
        raise typer.Exit(1)


@events.command()
def infer(
    sample: Annotated[str, typer.Argument(metavar="SAMPLE", help="Some of your records, in a form that `produce` takes.")],
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Write [events.NAME]: a further source with its own topic."),
    ] = None,
    format_: Form = None,
) -> None:
    """Write a first [events] for config.toml, from a sample of your records.

    It has been tried on the sample. What could not be found is said in comments, and on stderr; it exits 1 then.

    \b
    ecom_lite events infer orders.json > events.toml
    """
    from itertools import islice

    from ..contract.events import utc_now
    from ..own_events.attempt import SAMPLE, proposed
    from ..own_events.formats import format_of, recognised, records
    from ..own_events.source import opened
    from ..own_events.toml import as_toml

    if source is not None:
        _known_name(source)
    with opened(sample, _say) as opened_sample:
        found = islice(records(opened_sample, format_of(format_) or recognised(opened_sample)), SAMPLE)
        values = [record.value for record in found if record.value is not None]
    if not values:
        raise UsageError(f"{sample} has no record to go by")
    tried = proposed(values, utc_now())
    remarks = [f"Made from {tried.of:,} records of {sample}, of which {tried.loads:,} load with it: look it through."]
    if not tried.proposal.settings() and not tried.proposal.missing:
        remarks.append("They need no mapping.")
    if tried.first_problem is not None:
        remarks.append(f"One that does not: {tried.first_problem}")
    print(as_toml(tried.proposal, remarks, source), end="")
    if tried.first_problem is not None or tried.proposal.missing:
        missing = f"; not found: {', '.join(tried.proposal.missing)}" if tried.proposal.missing else ""
        _say(f"{tried.loads:,} of {tried.of:,} records load with this mapping{missing}")
        raise typer.Exit(1)


def _known_name(source: str) -> None:
    from ..settings.events import AllEvents
    from ..settings.values import source_name_of

    try:
        source_name_of(source)
    except ValueError as error:
        raise UsageError(f"--source {source}: {error}") from None
    if source in AllEvents.model_fields:
        raise UsageError(f"--source {source}: [events.{source}] is a part of [events] itself: take another name")


def _of_file(settings: Settings, name: str, form: str | None) -> Iterator[Any]:
    from ..contract.reader import make_reader
    from ..own_events.formats import TITLES, format_of, recognised, records
    from ..own_events.source import opened

    reader = make_reader(settings.events, settings.currency.default)
    with opened(name, _say) as source:
        known = format_of(form) or recognised(source)
        _say(f"reading {source.title} as {TITLES[known]}")
        for record in records(source, known):
            yield record, reader


def _of_topic(settings: Settings, last: int) -> Iterator[Any]:
    from ..contract.reader import make_reader
    from ..live.broker import bootstrap_of
    from ..own_events.newest import newest
    from ..topic.client import client_config

    reader = make_reader(settings.events, settings.currency.default)
    bootstrap = bootstrap_of(settings)
    _say(f"reading the last {last:,} records of topic {settings.kafka.topic}")
    for record, simulated in newest(client_config(settings.kafka, bootstrap), settings.kafka.topic, last):
        yield record, None if simulated else reader


def _print(done: Any, attributes: list[str]) -> None:
    from ..own_events.attempt import row_of

    if done.loading:
        rows = [row_of(one.record.where, event, attributes) for one in done.loading for event in one.events]
        print_table([*COLUMNS, *attributes], rows)
        print()
    for one in done.dying:
        print(f"{one.record.where} dies: {one.problem}")
    if done.dying:
        print()
    kinds = ", ".join(f"{reason} {count:,}" for reason, count in done.reasons.most_common())
    records = "1 record" if done.records == 1 else f"{done.records:,} records"
    facts = "1 event" if done.events == 1 else f"{done.events:,} events"
    counts = f"{records}: {done.loads:,} load, as {facts}; {done.dies:,} become dead letters"
    print(counts + (f" ({kinds})" if kinds else ""))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
