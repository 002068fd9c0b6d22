"""The verb that shows it to a room: demo."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ..errors import UsageError
from .base import Json, cli
from .ends import before_the_start

if TYPE_CHECKING:
    from ..run.teller import Teller
    from ..settings.tree import Settings
    from ..terminal.terminal import Terminal

FOLDER: Final = Path(".ecom_lite_demo")
LOOK_S: Final = {"auto": 19.0, "quick": 0.0, "enter": 0.0}  # by pace: so long each step is left to be looked at
KEPT: Final = ("ECOM_LITE_JARS__", "ECOM_LITE_GRAFANA__", "ECOM_LITE_DASHBOARDS__", "ECOM_LITE_RUN__")  # of the environment


@cli.command()
def demo(
    pace: Annotated[str, typer.Option(help="auto takes 3 to 4 minutes; quick waits for nothing; enter for Enter.")] = "auto",
    light: Annotated[bool, typer.Option("--light", help="Without Spark: quicker start, half the memory.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep its data: `ecom_lite run --data-dir` goes on from there.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the start page in the browser.")] = False,
    port: Annotated[int | None, typer.Option(help="Port of the dashboards. Default: 8100, or a free one")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help=f"A new folder for its data. Default: {FOLDER}")] = None,
    json_: Json = False,
) -> None:
    """Show it to a room: eight steps, told here and on the start page.

    A shop's past (four weeks; quick: one), its present, a promotion, late and doubled events, a kill, the recovery, an
    alert, and the count; each done for real, by what the verbs and the page use. It has a data folder of its own, which
    goes at its end, and reads no config.toml. It exits 0 when every step has shown and the count closes.

    \b
    ecom_lite demo --open
    ecom_lite demo --pace enter                     waits for Enter after each step
    ecom_lite demo --light --pace quick             some forty seconds
    """
    if pace not in LOOK_S:
        raise UsageError(f"--pace {pace!r}: give one of {', '.join(LOOK_S)}")
    if pace == "enter" and not (sys.stdin and sys.stdin.isatty()):
        raise UsageError("--pace enter: there is no terminal on which somebody could press Enter; leave it out")
    with before_the_start():
        settings = _settings(light=light, port=port, data_dir=_folder(data_dir), quick=pace == "quick")
        from ..machine.reset import reset_data
        from ..run.execute import DemoOptions, Options, execute
        from ..terminal.steps import without_echo
        from ..terminal.terminal import Terminal

        reset_data(settings, keep_grafana=False)
        terminal = Terminal()

        def go_on(teller: Teller) -> None:
            if pace == "enter":
                _await_enter(teller, terminal)

        options = Options(json=json_, open_page=open_, demo=DemoOptions(LOOK_S[pace], go_on, passing=not keep))
        with without_echo():
            code, summary = execute(settings, options, terminal)
    _tidy(settings, terminal, keep=keep or code == 1)
    if json_ and summary:
        print(json.dumps(summary, default=str))
    elif summary:
        terminal.summary(summary)
    raise typer.Exit(code)


def _folder(wanted: Path | None) -> Path:
    """What an earlier demo has left in the usual one goes; a folder of the user's must have nothing in it."""
    if wanted is not None and wanted.exists() and (not wanted.is_dir() or any(wanted.iterdir())):
        raise UsageError(
            f"--data-dir {wanted}: there is something already, and a demo begins anew: give a folder that is not there"
        )
    return wanted or FOLDER


def _settings(**flags: Any) -> Settings:
    """Those of a demo: of the environment only what this machine needs, so that it never reaches servers of the user's."""
    from ..run.demo import SETTINGS, SHORT_HISTORY
    from ..settings.load import NO_FILE, load_settings

    env = {name: value for name, value in os.environ.items() if name.startswith(KEPT) and not name.endswith("__DATA_DIR")}
    given = {"run.light": flags["light"] or None, "dashboards.port": flags["port"], "run.data_dir": flags["data_dir"].absolute()}
    given["check.folder"] = flags["data_dir"].absolute() / "checks"  # there are none: those of the user are of other data
    if flags["quick"]:
        given["shop.history"] = SHORT_HISTORY
    return load_settings(NO_FILE, env, {**SETTINGS, **given})


def _await_enter(teller: Teller, terminal: Terminal) -> None:
    from ..terminal.steps import enter_pressed

    terminal.headline("press Enter for the next step")
    terminal.paragraph("Press Enter for the next step.", "dim")
    while not enter_pressed():
        teller.let_pass(0)


def _tidy(settings: Settings, terminal: Terminal, *, keep: bool) -> None:
    if keep:
        terminal.say(f"its data and logs are in {settings.data_dir}")
        return
    from ..machine.reset import reset_data

    reset_data(settings, keep_grafana=False)
