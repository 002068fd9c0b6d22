"""The verbs for rates of exchange: load a file of them, list what is known."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TextIO

import typer

from ..errors import UsageError, in_words
from ..terminal.printing import print_table
from .base import ConfigFile, DataDir, Json, cli
from .base import load as load_settings

rates = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Rates of exchange: load a file, list them.")
cli.add_typer(rates, name="rates")

To = Annotated[
    str | None, typer.Option("--to", metavar="CODE", help="The currency that they lead to. Default: the one of figures")
]


@rates.command("load")
def load(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV: date, currency, rate; - reads stdin.")],
    to: To = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Load the day's rates: what one unit of a currency is worth in the currency of figures.

    One line per day and currency, with or without a header. A rate holds until the next day that has one. A line for a day that
    is known corrects it; loading a file twice changes nothing. A file with a wrong line is refused whole.
    Works beside a live run and without one.

    \b
    ecom_lite rates load rates.csv
    echo 2026-01-02,EUR,1.0850 | ecom_lite rates load -
    """
    from ..rates.file import read_rates
    from ..rates.store import put_rates, reporting_currency
    from ..run.opened import opened
    from ..settings.currencies import code_of
    from ..terminal.terminal import Terminal

    settings = load_settings(config, data_dir)
    wanted = None if to is None else code_of(to)
    if to is not None and wanted is None:
        raise UsageError(f"--to {to}: give the ISO 4217 code of a currency, such as USD")
    if file != "-" and not Path(file).exists():
        raise UsageError(f"{file}: no such file")
    with opened(settings, Terminal(), "rates", kafka=False) as now:
        reporting = wanted or reporting_currency(now.address)
        with _opened(file) as lines:
            found = read_rates(lines, "stdin" if file == "-" else file, reporting)
        done = put_rates(now.address, found, reporting)
    if json_:
        print(json.dumps(done.as_json()))
        return
    print(f"rates to {reporting}: {done.new:,} new, {done.corrected:,} corrected, {done.same:,} as before")
    if done.touched:
        print("the next dbt run builds the marts anew: `ecom_lite refresh` does it now", file=sys.stderr)


@contextmanager
def _opened(file: str) -> Iterator[TextIO]:
    if file == "-":
        yield io.TextIOWrapper(sys.stdin.buffer, "utf-8-sig")
        return
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as lines:
            yield lines
    except OSError as error:
        raise UsageError(f"{file}: {in_words(error)}") from None


@rates.command("list")
def list_(
    currency: Annotated[str | None, typer.Option("--currency", metavar="CODE", help="Each day of this one.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """List the rates that are known, and the currencies of order lines that have none."""
    from ..rates.store import days_of, list_rates
    from ..run.opened import opened
    from ..settings.currencies import code_of
    from ..terminal.terminal import Terminal
    from ..warehouse.currency import tell_missing

    settings = load_settings(config, data_dir)
    code = None if currency is None else code_of(currency)
    if currency is not None and code is None:
        raise UsageError(f"--currency {currency}: give the ISO 4217 code of a currency, such as EUR")
    with opened(settings, Terminal(), "rates", kafka=False) as now:
        days = [] if code is None else days_of(now.address, code)
        listed, missing = ([], []) if code is not None else list_rates(now.address)
    if json_:
        each = [{"day": day, "currency": code, "reporting": to, "rate": rate} for day, to, rate in days]
        whole = {"rates": [asdict(one) for one in listed], "missing": [one._asdict() for one in missing]}
        print(json.dumps(whole if code is None else {"rates": each}, default=str))
        return
    if code is not None:
        print_table(("day", "currency", "in", "rate"), [(str(day), code, to, _short(rate)) for day, to, rate in days])
    else:
        rows = [(r.currency, r.reporting, str(r.first_day), str(r.last_day), f"{r.days:,}", _short(r.rate)) for r in listed]
        print_table(("currency", "in", "first day", "last day", "days", "newest rate"), rows)
        if missing:
            print(tell_missing(missing), file=sys.stderr)


def _short(rate: object) -> str:
    return f"{rate:f}".rstrip("0").rstrip(".")
