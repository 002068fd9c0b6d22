"""Verbs for a run: run, status, stop, logs."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Annotated

import typer

from ..errors import EcomLiteError, NotRunning, UsageError
from ..live.lock import holder, require_run
from ..settings.values import duration_s
from ..terminal.printing import log_printer
from .base import ConfigFile, DataDir, Json, cli, load
from .ends import before_the_start


@cli.command()
def run(
    for_: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="End by itself after 60s, 5m or 2h, counted from ready.")
    ] = None,
    events: Annotated[int | None, typer.Option(min=0, help="Send this many events, load them all, end.")] = None,
    rate: Annotated[
        str | None, typer.Option(help="Orders per second, or max, or natural. Default: 5; natural with a history.")
    ] = None,
    history: Annotated[
        str | None, typer.Option(metavar="TIME", help="First send so much past, such as 90d, at full speed; then live.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="The shop's clock begins here: equal seeds then send equal events.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option(help="The shop's clock runs so many times as fast, until it has reached now.")
    ] = None,
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
    ecom_lite run --history 90d                     three months first, then live
    ecom_lite run --speed 60                        the last day in 24 minutes
    """
    for_s = None if for_ is None else seconds(for_)
    with before_the_start():
        settings = load(
            config, data_dir, run__light=light or None, dashboards__port=port,
            shop__events=events, shop__seed=seed, shop__rate=rate, shop__history=history, shop__start=start, shop__speed=speed,
        )  # fmt: skip
        if fresh:
            from ..machine.reset import reset_data
            from ..run.execute import refuse_impossible_run

            refuse_impossible_run(settings)  # else the data would be gone, and nothing begun
            reset_data(settings, keep_grafana=True)
        if holder(settings.data_dir) is None:
            from ..run.opening import refuse_other_shop

            refuse_other_shop(settings)
        if not detach:
            from ..run.execute import Options, execute

            code, summary = execute(settings, Options(for_s=for_s, json=json_, open_page=open_))
    if detach:
        from ..run.detach import run_detached

        run_detached(settings, [arg for arg in sys.argv[1:] if arg not in ("--detach", "--fresh")], as_json=json_)
        return
    if json_ and summary:
        print(json.dumps(summary, default=str))
    elif summary:
        from ..terminal.terminal import Terminal

        Terminal().summary(summary)
    raise typer.Exit(code)


@cli.command()
def status(data_dir: DataDir = None, config: ConfigFile = None, json_: Json = False) -> None:
    """What runs, how far it is, and where to look.

    Exits 0 when all parts are well, 1 when one is not, 2 when nothing runs.
    """
    from ..live.state import RunState, control_link, read_state

    settings = load(config, data_dir)
    try:
        require_run(settings.data_dir)
    except NotRunning:
        if json_:
            print(json.dumps({"state": "stopped"}))
        raise
    state = read_state(settings.data_dir) or RunState()
    if json_:
        print(state.as_json())
    else:
        from ..terminal.view import print_status

        print_status(state, {**state.addresses, **control_link(state.addresses.get("dashboards", ""), state.control_token)})
    if state.state == "running" and state.not_ready():
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

    settings = load(config, data_dir)
    who = holder(settings.data_dir)
    if who is None or "pid" not in who:
        raise NotRunning(f"nothing runs in {settings.data_dir}")
    pid = int(who["pid"])
    if who.get("purpose") != "run":
        raise UsageError(f"no run: `ecom_lite {who.get('purpose')}`, pid {pid}, is using {settings.data_dir}")
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
    while time.monotonic() < deadline and _lives(pid):  # its lock goes a moment before it does
        time.sleep(0.05)
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
    from ..observe.logs import follow as follow_logs
    from ..observe.logs import log_files, sizes, tail

    settings = load(config, data_dir)
    found = log_files(settings.data_dir, service)
    if not found and not (follow and service is None):
        known = ", ".join(log_files(settings.data_dir, None)) or "none: nothing has run here yet"
        raise UsageError(f"no log of {service or 'any part'} in {settings.data_dir / 'logs'}; there is: {known}")
    show = log_printer(one=service is not None and len(found) == 1)
    until = sizes(found)
    for name, line in tail(found, lines, until):
        show(name, line)
    if follow:
        try:
            for name, line in follow_logs(lambda: log_files(settings.data_dir, service), _sleep, until):
                show(name, line)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


def seconds(text: str) -> float:
    try:
        return duration_s(text)
    except ValueError as error:
        raise UsageError(f"--for {text!r}: {error}") from None


def _lives(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False
