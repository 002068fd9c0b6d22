"""What all verbs share: the application, the common options, the settings that they make."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from .. import __version__
from ..errors import UsageError
from ..terminal.screen import PLAIN

if TYPE_CHECKING:
    from ..settings.tree import Settings

cli = typer.Typer(
    name="ecom_lite",
    help="A complete real-time sales warehouse on this machine: Kafka, PostgreSQL, Spark, dbt, DuckDB and live dashboards.\n\n"
    "Start with `ecom_lite run`; Ctrl-C stops it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Negative(TyperCommand):
    """A verb whose arguments may look like -5: that is then a value (to be refused with its reason) and no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        values = [arg for arg in args if re.match(r"-\.?\d", arg)]
        if values and "--" not in args:
            args = [*(arg for arg in args if arg not in values), "--", *values]
        return super().parse_args(ctx, args)


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


def _plain(asked: bool) -> None:
    if asked:
        os.environ[PLAIN] = "1"


@cli.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
    plain: Annotated[
        bool,
        typer.Option("--plain", callback=_plain, is_eager=True, help=f"For screen readers; as {PLAIN}=1 does."),
    ] = False,
) -> None:
    pass


DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the run keeps its data. Default: .ecom_lite")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings file. Default: config.toml, where there is one")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Source = Annotated[str | None, typer.Option("--source", metavar="NAME", help="That of [events.NAME], not kafka.topic's.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def load(config: Path | None, data_dir: Path | None, **flags: Any) -> Settings:
    """The settings of a verb; flags are section__key names. Raises ConfigError."""
    from ..settings.load import load_settings  # a tenth of a second: not before it is needed

    return load_settings(config, flags={"run.data_dir": data_dir, **{n.replace("__", "."): v for n, v in flags.items()}})


def load_one(config: Path | None, data_dir: Path | None, source: str | None, topic: str | None) -> Settings:
    """Settings whose kafka.topic and [events] are those of one source: a further one, by its name or its topic, or the main one.

    Raises ConfigError, UsageError.
    """
    if source and topic:
        raise UsageError("--source names a topic, and --topic another: give one of them")
    settings = load(config, data_dir)
    name = source or settings.source_of(topic or "")
    return settings.of_source(name) if name else load(config, data_dir, kafka__topic=topic or None)
