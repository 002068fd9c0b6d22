"""Verbs that change the warehouse's schema: migrate."""

from __future__ import annotations

from typing import Annotated

import typer

from .base import ConfigFile, DataDir, cli, load


@cli.command()
def migrate(
    rotate_passwords: Annotated[
        bool, typer.Option("--rotate-passwords", help="First give the database's roles new random passwords.")
    ] = False,
    rebuild_marts: Annotated[
        bool, typer.Option("--rebuild-marts", help="Take another shop.time_zone: the next refresh builds all marts anew.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Bring the database schema up to this version.

    `run` does it too. Each migration is one transaction; one that was edited after it was applied is refused.
    With --rotate-passwords also beside a live run. Other machines on the same server (postgres.url) then need the new file.
    """
    from ..run.opened import opened
    from ..terminal.terminal import Terminal
    from ..warehouse.migrate import bundled
    from ..warehouse.migrate import migrate as apply

    settings, terminal = load(config, data_dir), Terminal()
    if rotate_passwords:
        from ..run.rotate import rotate

        rotate(settings, terminal)
    with opened(settings, terminal, "migrate", kafka=False) as now:
        applied = apply(
            now.address, currency=settings.currency, attributes=settings.events.attributes, time_zone=settings.shop.time_zone,
            rebuild_marts=rebuild_marts,
        )  # fmt: skip
    print("\n".join(applied) if applied else f"up to date: {bundled()[-1].name}")
