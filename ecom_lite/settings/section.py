"""What all sections of the settings have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,240}$")]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
