"""Verbs that measure this machine: bench load, produce, start, fixture, marts, dashboards, lake, sql."""

from __future__ import annotations

import json
import shlex
import sys
from typing import Annotated

import typer

from .base import ConfigFile, Json, cli, load

bench = typer.Typer(help="Measure on this machine, on engines of its own.", no_args_is_help=True, rich_markup_mode=None)
cli.add_typer(bench, name="bench")


@bench.callback()
def _bench() -> None:
    pass


@bench.command("load")
def load_(
    events: Annotated[int, typer.Option(min=1, help="So many events wait on the topic.")] = 1_000_000,
    seed: Annotated[int | None, typer.Option(help="The same seed makes the same events. Default: 7")] = None,
    latency_s: Annotated[float, typer.Option("--latency-s", min=1, help="So long 500 events/s are sent, for the delays.")] = 20,
    growth: Annotated[
        bool, typer.Option("--growth", help="Also load into a table of 0.1 and of 5 million rows (some two minutes more).")
    ] = False,
    mapping: Annotated[
        str, typer.Option(help="Instead, only what a mapping costs: so many order lines by none,rename,lines, or some of them.")
    ] = "",
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Measure the loader, each of its stages alone, and a naive loader.

    Starts a Kafka and a PostgreSQL of its own in a temporary folder ($TMPDIR) and deletes them; your data is not touched. The
    settings count as in `run`, but for a mapping of your own events and the shop's past. Nothing else should run meanwhile.
    Exits 1 when the loader's count does not close.
    docs/benchmarks.md says what each figure is.

    \b
    ecom_lite bench load                            a million events, some four minutes
    ecom_lite bench load --events 100000 --json
    ecom_lite bench load --events 500000 --mapping none,rename,lines
    """
    from ..bench.course import bench_load
    from ..bench.printed import print_figures
    from ..terminal.terminal import Terminal

    settings = load(config, None, shop__seed=seed)
    figures = bench_load(
        settings, Terminal(), events=events, latency_s=latency_s, with_growth=growth, mapping=mapping,
        command="ecom_lite " + shlex.join(sys.argv[1:]),
    )  # fmt: skip
    if json_:
        print(json.dumps(figures))
    else:
        print_figures(figures)


@bench.command("produce")
def produce(
    events: Annotated[int, typer.Option(min=1, help="So many events are sent, each time.")] = 1_000_000,
    seed: Annotated[int | None, typer.Option(help="The same seed makes the same events. Default: 7")] = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Measure the shop's producer, each of its stages alone, with the loader beside it, and a naive producer.

    Starts a Kafka and a PostgreSQL of its own in a temporary folder ($TMPDIR) and deletes them; your data is not touched. The
    settings count as in `run`, at --rate max, without faults. Nothing else should run meanwhile. Exits 1 when the producer's
    ledger is not what the topic holds, or the loader's count does not close. docs/benchmarks.md says what each figure is.

    \b
    ecom_lite bench produce                         a million events, some two minutes
    ecom_lite bench produce --events 100000 --json
    """
    from ..bench.printed import PRODUCER, print_figures
    from ..bench.produce_course import bench_produce
    from ..terminal.terminal import Terminal

    settings = load(config, None, shop__seed=seed)
    figures = bench_produce(settings, Terminal(), events=events, command="ecom_lite " + shlex.join(sys.argv[1:]))
    if json_:
        print(json.dumps(figures))
    else:
        print_figures(figures, PRODUCER)


@bench.command("start")
def start(
    runs: Annotated[int, typer.Option(min=1, help="So many starts of each kind; the middle one counts.")] = 3,
    light: Annotated[bool, typer.Option("--light", help="Only without Spark.")] = False,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Measure how long a run takes until it is ready, part by part: with Spark and without, cold and warm.

    Whole runs in a temporary folder ($TMPDIR), which goes; your data is not touched. Cold: a new data folder, and no class
    archives yet. Warm: a new data folder. Again: a second start on it. What the system itself keeps of files in memory stays.

    \b
    ecom_lite bench start                           some eight minutes
    ecom_lite bench start --light --runs 1 --json
    """
    from ..bench.start import bench_start, print_start
    from ..terminal.terminal import Terminal

    figures = bench_start(
        load(config, None), Terminal(), runs=runs, light=[True] if light else [True, False],
        command="ecom_lite " + shlex.join(sys.argv[1:]),
    )  # fmt: skip
    if json_:
        print(json.dumps(figures))
    else:
        print_start(figures)


@bench.command("fixture")
def fixture(
    runs: Annotated[int, typer.Option(min=1, help="So many sessions of each kind; the middle one counts.")] = 5,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Measure the pytest plugin: seconds from `pytest` to the first test, seconds for a topic, and memory.

    Whole sessions of pytest in a temporary folder ($TMPDIR), which goes; your data is not touched. Bare: the same pytest with a
    test that asks for nothing, as the others' measure. docs/benchmarks.md says what each figure is.
    """
    from ..bench.fixture import bench_fixture, print_fixture
    from ..terminal.terminal import Terminal

    figures = bench_fixture(load(config, None), Terminal(), runs=runs, command="ecom_lite " + shlex.join(sys.argv[1:]))
    if json_:
        print(json.dumps(figures))
    else:
        print_fixture(figures)


@bench.command("stream")
def stream(
    rates: Annotated[str, typer.Option(help="Events/s, one after the other, with commas between them.")] = "500,2000,5000",
    seconds: Annotated[float, typer.Option(min=2, help="So long each; the second half counts.")] = 180,
    backlog: Annotated[int, typer.Option(min=1_000, help="So many events wait on the topic when Spark begins.")] = 400_000,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Measure how late Spark's per-minute figures are, what its JVM costs, and how fast it works off a backlog.

    Starts a Kafka, a PostgreSQL and a JVM of its own in a temporary folder ($TMPDIR) and deletes them; your data is not touched.
    A loader works beside it. Exits 1 when the minutes do not hold all facts. docs/benchmarks.md says what each figure is.

    \b
    ecom_lite bench stream                                       some ten minutes
    ecom_lite bench stream --rates 5000 --seconds 300 --json
    """
    from ..bench.stream import bench_stream, print_stream
    from ..terminal.terminal import Terminal

    figures = bench_stream(
        load(config, None), Terminal(), rates=rates, seconds=seconds, backlog=backlog,
        command="ecom_lite " + shlex.join(sys.argv[1:]),
    )  # fmt: skip
    if json_:
        print(json.dumps(figures))
    else:
        print_stream(figures)


@bench.command("marts")
def marts(
    facts: Annotated[str, typer.Option(help="Sizes of the fact table, with commas between them.")] = "100000,1000000,3000000",
    new: Annotated[int, typer.Option(min=100, help="So many new facts for each refresh.")] = 5_000,
    rate: Annotated[int, typer.Option(min=1, help="So many events/s are loaded while the board is looked at.")] = 5_000,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Measure what a refresh of the marts and a look at the real-time board cost as the facts grow.

    Starts a Kafka and a PostgreSQL of its own in a temporary folder ($TMPDIR) and deletes them; your data is not touched. Per
    size: the facts are made by SQL, all marts are built, then refreshed with new facts, then the board's panels are asked, each
    computed, while a shop sends and the loader loads. Exits 1 when the board or a mart does not hold the facts.
    docs/benchmarks.md says what each figure is.

    \b
    ecom_lite bench marts                                       some six minutes
    ecom_lite bench marts --facts 100000,1000000,3000000,10000000 --json
    """
    from ..bench.marts import bench_marts
    from ..bench.printed import print_marts
    from ..terminal.terminal import Terminal

    figures = bench_marts(
        load(config, None), Terminal(), facts=facts, new=new, rate=rate, command="ecom_lite " + shlex.join(sys.argv[1:])
    )
    if json_:
        print(json.dumps(figures))
    else:
        print_marts(figures)


@bench.command("dashboards")
def dashboards(
    facts: Annotated[str, typer.Option(help="Sizes of the fact table, with commas between them.")] = "1000000,3000000,10000000",
    rate: Annotated[int, typer.Option(min=1, help="So many events/s are loaded while the boards are looked at.")] = 1_000,
    viewers: Annotated[int, typer.Option(min=1, max=64, help="So many look at all boards while the loader is measured.")] = 8,
    events: Annotated[
        int, typer.Option(min=1_000, help="So many events wait on the topic each time the load rate is taken.")
    ] = 400_000,
    latency_s: Annotated[
        float, typer.Option("--latency-s", min=1, help="So long 500 events/s are sent, each time for the delays.")
    ] = 20,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Measure what the boards cost as the facts grow: each panel, the page's bytes, its first paint, and eight who look.

    Starts a Kafka and a PostgreSQL of its own in a temporary folder ($TMPDIR) and deletes them; your data is not touched. Per
    size: the facts are made by SQL, all marts are built, each board's panels are asked, each computed, beside a shop and the
    loader; then the loader's rate and delay are taken with viewers and without. The first paint wants a Chromium (on PATH, or
    $CHROMIUM) and playwright. Exits 1 when the loader's count does not close. docs/benchmarks.md says what each figure is.

    \b
    ecom_lite bench dashboards                                  some twenty minutes
    ecom_lite bench dashboards --facts 1000000 --json
    """
    from ..bench.dashboards import Ask, bench_dashboards
    from ..bench.printed import print_dashboards
    from ..terminal.terminal import Terminal

    figures = bench_dashboards(
        load(config, None), Terminal(), facts=facts, ask=Ask(events, latency_s, rate, viewers),
        command="ecom_lite " + shlex.join(sys.argv[1:]),
    )  # fmt: skip
    if json_:
        print(json.dumps(figures))
    else:
        print_dashboards(figures)


@bench.command("lake")
def lake(
    facts: Annotated[int, typer.Option(min=10_000, help="So many facts are copied at first.")] = 3_000_000,
    new: Annotated[int, typer.Option(min=100, help="So many new facts for each pass.")] = 2_000,
    passes: Annotated[int, typer.Option(min=2, help="So many passes, with the upkeep as if one came every two seconds.")] = 300,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Measure what the lake costs: its first copy, a pass over new facts, bytes and files.

    Starts a Kafka and a PostgreSQL of its own in a temporary folder ($TMPDIR) and deletes them; your data is not touched.
    docs/benchmarks.md says what each figure is.

    \b
    ecom_lite bench lake                            some two minutes
    ecom_lite bench lake --facts 1000000 --json
    """
    from ..bench.lake import bench_lake
    from ..bench.printed import print_lake
    from ..terminal.terminal import Terminal

    figures = bench_lake(
        load(config, None), Terminal(), facts=facts, new=new, passes=passes, command="ecom_lite " + shlex.join(sys.argv[1:])
    )
    if json_:
        print(json.dumps(figures))
    else:
        print_lake(figures)


@bench.command("sql")
def sql(
    facts: Annotated[int, typer.Option(min=10_000, help="So many facts are asked about.")] = 3_000_000,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Ask twelve questions of an analyst, of the lake and of PostgreSQL, and take each check.

    Each question as `ecom_lite sql` asks the lake, warm and as a command of its own, and the same SQL in PostgreSQL; each check
    as `ecom_lite check --only` takes it, and with --full. Starts a Kafka and a PostgreSQL of its own in a temporary folder
    ($TMPDIR) and deletes them; your data is not touched. Exits 1 when an answer differs or a check does not pass.
    docs/benchmarks.md says what each figure is.

    \b
    ecom_lite bench sql                             some five minutes
    ecom_lite bench sql --facts 1000000 --json
    """
    from ..bench.printed import print_sql
    from ..bench.questions import bench_sql
    from ..terminal.terminal import Terminal

    figures = bench_sql(load(config, None), Terminal(), facts=facts, command="ecom_lite " + shlex.join(sys.argv[1:]))
    if json_:
        print(json.dumps(figures))
    else:
        print_sql(figures)
