"""Verbs that steer the simulated shop of a live run: rate, pause, resume, fault, campaign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import asdict

from ..errors import UsageError
from ..live.client import LiveRun
from ..observe.figures import ControlAnswer, to_come
from ..settings.override import CATEGORIES, FAULTS, ShopOverride, campaign_shares, fault_shares
from ..settings.values import rate_of
from ..terminal.printing import print_table
from .base import ConfigFile, DataDir, Json, Negative, cli, load

FAULT_HELP = """Switch faults of the shop's events on and off, or show them.

Each has a share, from 0% to 50%, and stays on until it is set to 0. `check` compares what was sent twice or broken with what
was found.

\b
ecom_lite fault                                 what is on, and what there is
ecom_lite fault late=5% malformed=1%            the others stay as they are
ecom_lite fault off                             all of them

\b
""" + "\n".join(f"{name:<14}{text}" for name, text in FAULTS.items())


@cli.command(cls=Negative)
def rate(
    rate: Annotated[str, typer.Argument(metavar="RATE", help="Orders per second, or max, or natural.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Change how fast the shop of the live run sends.

    A number of orders per second; max is as fast as it goes; natural follows the shop's own clock. Until the run ends.

    \b
    ecom_lite rate 500
    ecom_lite rate max
    """
    try:
        orders = rate_of(rate)
    except ValueError as error:
        raise UsageError(f"rate {rate!r}: {error}") from None
    _change(config, data_dir, ShopOverride(rate=orders), json_)


@cli.command()
def pause(data_dir: DataDir = None, config: ConfigFile = None, json_: Json = False) -> None:
    """Let the shop of the live run send nothing, until `resume`.

    All other parts go on.
    """
    _change(config, data_dir, ShopOverride(paused=True), json_)


@cli.command()
def resume(data_dir: DataDir = None, config: ConfigFile = None, json_: Json = False) -> None:
    """Let the shop send again, at the rate it had."""
    _change(config, data_dir, ShopOverride(paused=False), json_)


@cli.command(help=FAULT_HELP)
def fault(
    faults: Annotated[list[str] | None, typer.Argument(metavar="NAME=SHARE", help="Such as late=5%; or off.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    if faults:
        _change(config, data_dir, ShopOverride(faults=fault_shares(faults)), json_)
        return
    now = LiveRun(load(config, data_dir).data_dir).in_force()
    if json_:
        print(json.dumps({**asdict(now), "known": FAULTS}))
        return
    print_table(
        ["fault", "share", "what it is"], [(name, percent(now.faults.get(name, 0)), text) for name, text in FAULTS.items()]
    )


@cli.command()
def campaign(
    categories: Annotated[list[str] | None, typer.Argument(metavar="CATEGORY=SHARE", help="Such as Books=30%; or off.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Promote categories of the live run's shop, or show which.

    From its next order on all products of the category are so much cheaper, from 0% to 50%, and bought almost twice as often;
    until it is set to 0, or the run ends. Which orders these are is kept: the same shop can be made again.

    \b
    ecom_lite campaign                              what is promoted, and what can be
    ecom_lite campaign Electronics=30%
    ecom_lite campaign off
    """
    if categories:
        _change(config, data_dir, ShopOverride(campaigns=campaign_shares(categories)), json_)
        return
    now = LiveRun(load(config, data_dir).data_dir).in_force()
    if json_:
        print(json.dumps({**asdict(now), "known": CATEGORIES}))
        return
    print_table(["category", "off"], [(name, percent(now.campaigns.get(name, 0))) for name in CATEGORIES])


def _change(config: Path | None, data_dir: Path | None, override: ShopOverride, as_json: bool) -> None:
    now = LiveRun(load(config, data_dir).data_dir).change(override)
    print(json.dumps(asdict(now)) if as_json else described(now))


def described(now: ControlAnswer) -> str:
    """One line: `500 orders/s; faults: late 5%`, or `paused, 23 late events still to come; then 500 orders/s; faults: none`."""
    rate = now.rate
    if isinstance(rate, float | int):
        pace = f"{rate:,g} orders/s"
    else:
        pace = {"max": "as fast as it goes", "natural": "by the shop's own clock"}.get(rate or "", "unknown rate")
    paused = ""
    if now.paused:
        paused = f"paused, {to_come(now.held)}; then " if now.held else "paused, then "
    if now.no_room:
        paused += "waiting for room on the disk, then "
    faults = ", ".join(f"{name} {percent(share)}" for name, share in now.faults.items() if share)
    campaigns = ", ".join(f"{name} {percent(share)} off" for name, share in now.campaigns.items() if share)
    return f"{paused}{pace}; faults: {faults or 'none'}" + (f"; campaign: {campaigns}" if campaigns else "")


def percent(share: float) -> str:
    """`5%`, `0.25%`."""
    return f"{share * 100:.6g}%"
