"""The settings of what the harness starts: of the user's own config.toml it takes where the jars are, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..settings.load import NO_FILE, load_settings
from ..settings.tree import Settings

NOTHING: Final[Mapping[str, Any]] = {}


def own_settings(flags: Mapping[str, Any] = NOTHING) -> Settings:
    """A round is what its numbers say, in whatever folder it is played: a mapping of the user's would be a difference."""
    return load_settings(NO_FILE, env={}, flags={**jars(), **flags})


def jars() -> dict[str, Any]:
    """Where they are, by the settings' dotted names."""
    return {f"jars.{name}": value for name, value in load_settings(env={}).jars.model_dump().items() if value}
