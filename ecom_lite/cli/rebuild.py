"""The verb rebuild: a new warehouse from the raw archive."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from .base import ConfigFile, DataDir, Json, cli, load


@cli.command()
def rebuild(
    with_gaps: Annotated[
        bool, typer.Option("--with-gaps", help="Go without offsets that the archive lacks, and note them as lost.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    json_: Json = False,
) -> None:
    """Fill an empty warehouse from the raw archive alone.

    The archive (lake/raw in the data folder) has the topics' records of the last lake.raw_days: Kafka may have forgotten them.
    Facts and marts are the same as before, as `check --fingerprint` says. Where the archive lacks offsets they are named and
    nothing is done. A warehouse that has facts is refused; one whose rebuild was cut off is filled further. Not beside a run.
    Exchange rates (`rates`) and what the simulated shop has sent are not in the archive.

    \b
    ecom_lite rebuild
    ecom_lite rebuild --with-gaps
    ECOM_LITE_POSTGRES__DATABASE=again ecom_lite rebuild
    """
    from ..run.rebuild import rebuild as make
    from ..terminal.terminal import Terminal

    settings = load(config, data_dir)
    made = make(settings, Terminal(), with_gaps=with_gaps)
    if json_:
        print(json.dumps(made.as_json()))
        return
    done = made.loaded
    print(
        f"rebuilt: {done.facts:,} facts, {done.duplicates:,} duplicates, {done.other:,} other events and {done.dead:,} dead "
        f"letters of {done.records:,} records in {made.seconds:.1f} s; fingerprint {made.fingerprint}"
    )
    if settings.shop.enabled:
        print(
            "the simulated shop's own count is not in the archive: let it go on under another seed (`ecom_lite run --seed "
            f"{settings.shop.seed + 1}`), for its orders would have the same ids again", file=sys.stderr,
        )  # fmt: skip
