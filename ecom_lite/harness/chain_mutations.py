"""Runs that are broken on purpose, one way each, and the lake's worker of one: a harness that passes them proves nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from ..lake import service
from ..lake.writer import Writer
from ..run.worker import main
from ..settings.bundled import bundled
from .targets import CHAIN_MUTATIONS

FORGETFUL, TWICE = CHAIN_MUTATIONS
WORKER: Final = f"{__package__}.chain_mutations"
PROJECT: Final = "dbt_project"
MODEL: Final = "models/marts/hourly_sales.sql"
END: Final = "from hours\n"
ONLY_NEW_HOURS: Final = (
    "from hours\n{%- if is_incremental() %}\nwhere hour >= (select max(present.hour) from {{ this }} as present)\n{%- endif %}\n"
)


def forgetful_project(folder: Path) -> Path:
    """A copy of the dbt project in `folder`, whose sales by hour take in nothing of an hour before their newest one."""
    project = folder / PROJECT
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(bundled(PROJECT), project)
    model = project / MODEL
    text = model.read_text("utf-8")
    assert text.endswith(END), "the model has changed: say anew where it forgets"
    model.write_text(text.removesuffix(END) + ONLY_NEW_HOURS, "utf-8")
    return project


class TakesTwice(Writer):
    """A writer that begins where its newest transaction began, and not behind it: what that brought is taken in once more."""

    def open(self) -> None:
        super().open()
        self._since = max(0, self._since - 1)


if __name__ == "__main__":
    if sys.argv[1] == "lake":
        vars(service)["Writer"] = TakesTwice
    sys.exit(main())
