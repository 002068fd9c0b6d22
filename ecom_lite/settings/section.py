"""What all sections of the settings have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .paths import absolute

Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,240}$")]
OwnPath = Annotated[Path, AfterValidator(absolute)]
# Of files of the user's own; a relative one is meant from where config.toml is, else from where the command is given.
OwnFolder = Annotated[Path, AfterValidator(absolute), "folder"]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
