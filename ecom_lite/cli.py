"""The verbs: parse, call, print. Data on stdout, talk on stderr; no work is done here."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from . import __version__
from .config import Settings, describe, load_settings
from .errors import EcomLiteError, NotRunning, UsageError
from .printing import log_line, print_table, thousands

cli = typer.Typer(
    name="ecom_lite",
    help="A complete real-time sales warehouse on this machine: Kafka, PostgreSQL, Spark, dbt, DuckDB and live dashboards.\n\n"
    "Start with `ecom_lite run`; Ctrl-C stops it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the run keeps its data. Default: .ecom_lite")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings file. Default: config.toml, where there is one")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def _settings(config: Path | None, data_dir: Path | None, **flags: Any) -> Settings:
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    return load_settings(config, flags={"run.data_dir": data_dir, **dotted})


@cli.command()
def run(
    for_: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="End by itself after 60s, 5m or 2h, counted from ready.")
    ] = None,
    events: Annotated[int | None, typer.Option(min=0, help="Send this many events, load them all, end.")] = None,
    rate: Annotated[str | None, typer.Option(help="Orders per second, or max. Default: 5")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed makes the same shop. Default: 7")] = None,
    light: Annotated[bool, typer.Option("--light", help="Without Spark: quicker start, half the memory.")] = False,
    port: Annotated[int | None, typer.Option(help="Port of the dashboards. Default: 8100, or a free one")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the data of earlier runs first; Grafana's own state is kept.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once all is ready; `logs`, `status` and `stop` then serve it.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the dashboards in the browser.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print a summary of the run as JSON on stdout at its end.")] = False,
) -> None:
    """Start everything, and watch it.

    Runs until Ctrl-C; the data stays, and the next run goes on from it. With --for or --events it ends by itself, loads
    what is left, builds the marts, takes the count, and exits 0 only when the count closes.

    \b
    ecom_lite run                                   a small shop, all parts
    ecom_lite run --light --rate 200                more orders, no Spark
    ecom_lite run --light --events 100000 --rate max --json
    """
    settings = _settings(
        config, data_dir, run__light=light or None, shop__events=events, shop__seed=seed, shop__rate=rate, dashboards__port=port
    )
    for_s = None if for_ is None else _seconds(for_)
    if fresh:
        from .reset import reset_data

        reset_data(settings, keep_grafana=True)
    if detach:
        from .detach import run_detached

        run_detached(settings, [arg for arg in sys.argv[1:] if arg not in ("--detach", "--fresh")], as_json=json_)
        return
    from .run import Options, execute

    code, summary = execute(settings, Options(for_s=for_s, json=json_, open_page=open_))
    if json_ and summary:
        print(json.dumps(summary, default=str))
    elif summary:
        from .terminal import Terminal

        Terminal().summary(summary)
    raise typer.Exit(code)


@cli.command()
def status(data_dir: DataDir = None, config: ConfigFile = None, json_: Json = False) -> None:
    """What runs, how far it is, and where to look.

    Exits 0 when all parts are well, 1 when one is not, 2 when nothing runs.
    """
    from .supervise.lock import holder
    from .supervise.state import read_state

    settings = _settings(config, data_dir)
    state = read_state(settings.data_dir)
    if holder(settings.data_dir) is None:
        if json_:
            print(json.dumps({"state": "stopped"}))
        raise NotRunning(f"nothing runs in {settings.data_dir}")
    if json_:
        print(json.dumps(state))
    else:
        from .view import print_status

        print_status(state)
    if state.get("state") == "running" and not all(part.get("ok", True) for part in state.get("parts", {}).values()):
        raise typer.Exit(1)


@cli.command()
def stop(
    data_dir: DataDir = None,
    config: ConfigFile = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for it to end.")] = 60,
) -> None:
    """Stop the run of this data folder, gracefully.

    What was sent is loaded first. A second `stop` ends it at once; nothing committed is lost by that.
    """
    from .supervise.lock import holder

    settings = _settings(config, data_dir)
    who = holder(settings.data_dir)
    if who is None or "pid" not in who:
        raise NotRunning(f"nothing runs in {settings.data_dir}")
    pid = int(who["pid"])
    if who.get("purpose") != "run":
        raise UsageError(f"no run: `ecom_lite {who.get('purpose')}`, pid {pid}, has {settings.data_dir} for a moment")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it ended just now
    except PermissionError:
        raise EcomLiteError(f"pid {pid} belongs to another user: stop it as that user") from None
    deadline = time.monotonic() + timeout
    while (now := holder(settings.data_dir)) is not None and now.get("pid", pid) == pid:
        if time.monotonic() > deadline:
            raise EcomLiteError(f"pid {pid} still runs after {timeout:g} s; `ecom_lite stop` once more stops it at once")
        time.sleep(0.1)
    print(f"stopped (pid {pid})", file=sys.stderr)


@cli.command()
def logs(
    service: Annotated[
        str | None, typer.Argument(help="One part: kafka, postgres, load, produce, stream, ... Default: all")
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as lines are written; Ctrl-C ends it.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last lines of each part.")] = 20,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Show the logs of all parts, or of one.

    All parts together are shown in the order of their time (UTC).

    \b
    ecom_lite logs -f
    ecom_lite logs kafka -n 100
    """
    from .observe.logs import follow as follow_logs
    from .observe.logs import log_files, sizes, tail

    settings = _settings(config, data_dir)
    found = log_files(settings.data_dir, service)
    if not found and not (follow and service is None):
        known = ", ".join(log_files(settings.data_dir, None)) or "none: nothing has run here yet"
        raise UsageError(f"no log of {service or 'any part'} in {settings.data_dir / 'logs'}; there is: {known}")
    show = log_line(one=service is not None)
    until = sizes(found)
    for name, line in tail(found, lines, until):
        print(show(name, line))
    if follow:
        try:
            for name, line in follow_logs(lambda: log_files(settings.data_dir, service), _sleep, until):
                print(show(name, line), flush=True)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


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

    from .opened import opened
    from .terminal import Terminal

    settings = _settings(config, data_dir)
    with opened(settings, Terminal(), "refresh", kafka=False) as now:
        result = now.app.run_dbt("refresh", full_refresh=full)
    if json_:
        print(json.dumps(asdict(result), default=str))
    else:
        print(f"dbt: {result.status}, {result.models} models, {result.tests_passed} tests passed, {result.seconds:.1f} s")
        if result.message:
            print(result.message, file=sys.stderr)
    if result.status != "success":
        raise typer.Exit(1)


@cli.command()
def check(data_dir: DataDir = None, config: ConfigFile = None, json_: Json = False) -> None:
    """Take the count, from the first event sent to the last mart.

    Sent = on the broker = facts + duplicates + other events + dead letters; marts = facts; closed minutes = facts.
    Works beside a live run and without one. Exits 1 when a line does not close, and names it.
    """
    from .check.reconcile import CATCH_UP_S, reconcile
    from .opened import opened
    from .terminal import Terminal

    settings = _settings(config, data_dir)
    with opened(settings, Terminal(), "check", kafka=True) as now:
        now.wait_first_marts()
        limit_s = CATCH_UP_S if now.live else 0  # without a run nobody loads: nothing to wait for
        report = reconcile(now.address, settings.kafka.topic, now.app.end_offsets, producing=now.producing, catch_up_s=limit_s)
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


@cli.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One SQL statement (DuckDB's dialect); - reads it from stdin.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object per row.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many rows.")] = 1000,
) -> None:
    """Ask the warehouse, read-only.

    Schemas: warehouse, marts, realtime, ops; view memory.main.lake where Spark has written one.

    \b
    ecom_lite sql "FROM sales_by_category ORDER BY revenue DESC"
    ecom_lite sql --json "FROM marts.customer_ltv WHERE segment = 'VIP'"
    echo "SHOW ALL TABLES" | ecom_lite sql -
    """
    from .check.duck import attach, query
    from .opened import opened
    from .terminal import Terminal

    settings = _settings(config, data_dir)
    text = sys.stdin.read() if statement == "-" else statement
    with opened(settings, Terminal(), "sql", kafka=False) as now:
        connection = attach(now.address, settings.data_dir / "lake")
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
def migrate(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Bring the database schema up to this version.

    `run` does it too. Each migration is one transaction; one that was edited after it was applied is refused.
    """
    from .opened import opened
    from .terminal import Terminal
    from .warehouse.migrate import bundled
    from .warehouse.migrate import migrate as apply

    settings = _settings(config, data_dir)
    with opened(settings, Terminal(), "migrate", kafka=False) as now:
        applied = apply(now.address)
    print("\n".join(applied) if applied else f"up to date: {bundled()[-1].name}")


@cli.command()
def fetch(
    fast_start: Annotated[
        bool,
        typer.Option(
            "--fast-start", help="Also prepare Spark's classes by a trial run: a minute once, some seconds less per start."
        ),
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Fetch the jars of Kafka and Spark ahead of time.

    After that no start needs the network. jars.mirror and jars.offline_dir say where else to get them.
    """
    from .app import fetch_jars, jar_cache, quicken_kafka, quicken_spark
    from .terminal import Terminal

    settings, terminal = _settings(config, data_dir), Terminal()
    fetch_jars(settings, terminal, ["kafka", "spark"])
    with terminal.busy("preparing Kafka's class-data archive: it halves the start (some seconds, once)"):
        quicken_kafka(settings)
    if fast_start:
        with terminal.busy("preparing Spark's class archive by a trial run (about a minute, once)"):
            quicken_spark(settings)
    print(f"all jars are in {jar_cache(settings).root}")


@cli.command()
def reset(data_dir: DataDir = None, config: ConfigFile = None, yes: Yes = False) -> None:
    """Delete all data of this folder, after asking.

    Databases, topics, lake, logs, passwords, Grafana's state. Files that are not ours stay.
    """
    from .reset import reset_data, what_goes

    settings = _settings(config, data_dir)
    gone = what_goes(settings)
    if not gone:
        print(f"nothing to delete in {settings.data_dir}", file=sys.stderr)
        return
    print(f"This deletes, in {settings.data_dir}:", file=sys.stderr)
    for name, size in gone:
        print(f"  {name:<14} {size / 1e6:8.1f} MB", file=sys.stderr)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("not deleted: there is no terminal to ask on; --yes skips the question")
        if not typer.confirm("Delete it?", err=True):
            raise typer.Exit(1)
    reset_data(settings, keep_grafana=False)
    print("deleted", file=sys.stderr)


@cli.command()
def doctor(data_dir: DataDir = None, config: ConfigFile = None, json_: Json = False) -> None:
    """Look for what would keep a run from starting.

    Each finding comes with what to do. Starts nothing, changes nothing. Exits 1 when something is wrong.
    """
    from .doctor import examine

    findings = examine(_settings(config, data_dir))
    if json_:
        print(json.dumps([finding._asdict() for finding in findings]))
    else:
        print_table(
            ["", "what", "found", "do"], [("ok" if f.ok else "BAD", f.what, f.found, "" if f.ok else f.fix) for f in findings]
        )
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@cli.command("config")
def show_config(data_dir: DataDir = None, config: ConfigFile = None, json_: Json = False) -> None:
    """Show every setting, its value now, and what it does.

    Defaults < config.toml < environment (ECOM_LITE_SHOP__RATE=200) < options.
    """
    rows = describe(_settings(config, data_dir))
    if json_:
        print(json.dumps({name: value for name, value, _ in rows}))
    else:
        print_table(["setting", "value", "what it is"], rows)


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@cli.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    number, unit = (text[:-1], text[-1]) if text and text[-1] in units else (text, "s")
    try:
        value = float(number) * units[unit]
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise UsageError(f"--for {text!r}: give a time such as 60s, 5m or 2h")
    return value


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _foreign(error: Exception) -> bool:
    """A database that went away under a command is no bug of ours. (psycopg is imported only where it is used.)"""
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(error, psycopg.Error)


def main() -> None:
    """Run the command line; errors that the user can act on are one message and an exit code, never a traceback."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        cli(prog_name="ecom_lite", standalone_mode=True)
    except EcomLiteError as error:
        print(f"ecom_lite: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if not _foreign(error):
            raise
        print(f"ecom_lite: the warehouse did not answer: {str(error).strip()}; see `ecom_lite status`", file=sys.stderr)
        sys.exit(1)
