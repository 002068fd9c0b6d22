"""Verbs for all of a data folder at once: backup, restore."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .base import ConfigFile, DataDir, cli, load


@cli.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="To be made, such as shop.tar.gz.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Write all data of this folder into one file, while nothing runs.

    Topics, warehouse, lake, checkpoints, passwords; no logs, and no config.toml. Only its owner may read the file. A server
    that runs elsewhere (kafka.bootstrap, postgres.url) has a backup of its own: docs/backup.md.

    \b
    ecom_lite stop && ecom_lite backup shop.tar.gz
    ecom_lite restore shop.tar.gz --data-dir copy
    """
    from ..machine.backup import backup as make

    made = make(load(config, data_dir), file)
    print(f"{file}: {made.files:,} files, {made.size / 1e6:,.1f} MB, packed {made.packed / 1e6:,.1f} MB", file=sys.stderr)


@cli.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Made by `ecom_lite backup`.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Fill an empty data folder from a backup.

    The next `ecom_lite run` goes on from there.

    Also on another machine, as another user, and by a later version of ecom_lite. A copy and its original are the same shop:
    events of the one are not in the other.

    \b
    ecom_lite restore shop.tar.gz
    ecom_lite restore shop.tar.gz --data-dir copy
    """
    from ..machine.backup import restore as fill

    settings = load(config, data_dir)
    made, manifest = fill(settings, file)
    print(f"{settings.data_dir}: {made.files:,} files, {made.size / 1e6:,.1f} MB, as of {manifest.made}", file=sys.stderr)
    for name in manifest.elsewhere:
        print(f"  {name} ran elsewhere: its data is not in here", file=sys.stderr)
