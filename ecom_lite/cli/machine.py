"""Verbs for the machine: fetch, reset, doctor, config."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from ..errors import UsageError
from ..settings.load import load_with_origins
from ..settings.show import describe
from ..terminal.printing import print_table
from .base import ConfigFile, DataDir, Json, Yes, cli, load


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

    After that no start needs the network, and Kafka, started once for some seconds, starts sooner. jars.mirror and
    jars.offline_dir say where else to get them.
    """
    from ..engines.from_settings import jar_cache
    from ..machine.prepare import fetch_jars, quicken_kafka, quicken_spark
    from ..terminal.terminal import Terminal

    settings, terminal = load(config, data_dir), Terminal()
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
    from ..machine.reset import reset_data, what_goes

    settings = load(config, data_dir)
    gone = what_goes(settings)
    if not gone:
        print(f"nothing to delete in {settings.data_dir}", file=sys.stderr)
        return
    print(f"This deletes, in {settings.data_dir}:", file=sys.stderr)
    width = max(len(name) for name, _ in gone)
    for name, size in gone:
        shown = f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"
        print(f"  {name:<{width}} {shown:>12}", file=sys.stderr)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("not deleted: there is no terminal to ask on; --yes skips the question")
        if not typer.confirm("Delete it?", err=True):
            raise typer.Exit(1)
    reset_data(settings, keep_grafana=False)
    print("deleted", file=sys.stderr)


@cli.command()
def doctor(
    platforms: Annotated[
        bool, typer.Option("--platforms", help="Show instead which package has a wheel for which system, and mark this one.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Look for what would keep a run from starting.

    Each finding comes with what to do. Starts nothing, changes nothing. Exits 1 when something is wrong.
    """
    if platforms:
        _platforms(json_)
        return
    from ..machine.doctor import examine

    findings = examine(load(config, data_dir))
    if json_:
        print(json.dumps([finding._asdict() for finding in findings]))
    else:
        print_table(
            ["", "what", "found", "do"], [("ok" if f.ok else "BAD", f.what, f.found, "" if f.ok else f.fix) for f in findings]
        )
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@cli.command("config")
def show_config(
    what: Annotated[str | None, typer.Argument(metavar="[show]", help="`config` alone shows them, too.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Show every setting, its value, and where that came from.

    Defaults < config.toml < environment (ECOM_LITE_SHOP__RATE=200) < options. An empty environment variable counts as not set.

    \b
    ecom_lite config show
    ecom_lite config show --json                    {"shop.rate": {"value": "200", "from": "config.toml:6"}, ...}
    ecom_lite config --json                         {"shop.rate": "200", ...}
    """
    if what not in (None, "show"):
        raise UsageError(f"config {what}: there is `ecom_lite config show`")
    rows = describe(*load_with_origins(config, flags={"run.data_dir": data_dir}))
    if not json_:
        print_table(["setting", "value", "from", "what it is"], rows)
    elif what is None:
        print(json.dumps({row.name: row.value for row in rows}))
    else:
        print(json.dumps({row.name: {"value": row.value, "from": row.origin} for row in rows}))


def _platforms(as_json: bool) -> None:
    import msgspec

    from ..machine.platforms import NAMES, expected, here, known, rows

    ours, answers = here(), {where: expected(where) for where in NAMES}
    if as_json:
        found = msgspec.to_builtins({"here": ours, "expected": answers, "lock": known()})
        print(json.dumps(found))
        return
    print_table(["package", "version", *(f"{name} (here)" if where == ours else name for where, name in NAMES.items())], rows())
    for where, name in NAMES.items():
        print(f"{name}{' (here)' if where == ours else ''}: {answers[where].why}", file=sys.stderr)
    if ours is None:
        print("this machine is none of these: packages without a wheel for it are built from source, if at all", file=sys.stderr)
