"""Verbs for the files that come with the program: init, diff."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..settings.seen import CONFIG_FILE
from ..terminal.printing import print_table
from .base import Json, cli

Folder = Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where config.toml is, or shall be: here, if not given.")]


@cli.command()
def init(
    folder: Folder = Path(),
    update: Annotated[
        bool, typer.Option("--update", help="Take over what this version has changed and you have not, and what is new in it.")
    ] = False,
) -> None:
    """Write boards, dbt project and more, to be edited.

    config.toml, dashboards/, dbt_project/, checks/ and alerts/. A run in that folder uses them instead of those that come with
    the program. Nothing that is there is overwritten.
    """
    from ..machine import shipped

    if not update:
        names = shipped.write(folder)
        print(f"{len(names)} files written to {folder.resolve()}: edit them, and `ecom_lite run` there", file=sys.stderr)
        return
    taken = shipped.update(folder)
    for name, what in taken:
        print(f"{name}: {'new' if what == 'new' else 'brought up to this version'}")
    if left := [one.file for one in shipped.compare(folder) if one.what == "both"]:
        print(
            f"changed by you and by this version, left as yours: {', '.join(left)}; see `ecom_lite diff --text`", file=sys.stderr
        )
    elif not taken:
        print("up to this version already", file=sys.stderr)


@cli.command()
def diff(
    folder: Folder = Path(),
    text: Annotated[bool, typer.Option("--text", help="Line by line, as a patch from this version's files to yours.")] = False,
    json_: Json = False,
) -> None:
    """What differs between your files and those of this version.

    Of what `ecom_lite init` has written; as a rule after an upgrade. Exits 1 where this version has moved on under your files.
    """
    from ..machine import shipped

    if text and json_:
        raise UsageError("--text and --json: give one of them")
    found = shipped.compare(folder)
    if json_:
        print(json.dumps([one._asdict() for one in found]))
    elif text:
        sys.stdout.writelines(line if line.endswith("\n") else f"{line}\n" for line in shipped.differences(folder, found))
    elif found:
        print_table(["file", "", "what happened"], [(one.file, one.what, shipped.MEANING[one.what]) for one in found])
    else:
        print(f"as they come with this version ({folder / CONFIG_FILE} and what belongs to it)", file=sys.stderr)
    if any(one.what in shipped.MOVED for one in found):
        raise typer.Exit(1)
