"""Where the files that come with the program are: beside the package in a checkout, inside it in an installed wheel; and the
user's own that take their place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    from .tree import Settings

_PACKAGE = Path(__file__).parents[1]


def bundled(name: str) -> Path:
    """The folder `alerts`, `dbt_project` or `grafana`, or the file `config.toml`."""
    installed = _PACKAGE / "_bundled" / name
    return installed if installed.exists() else _PACKAGE.parent / name


def dbt_project(settings: Settings) -> Path:
    """The user's own project, where the settings name one. Raises ConfigError where it is none."""
    own = settings.transform.project
    if own is None:
        return bundled("dbt_project")
    if not (own / "dbt_project.yml").is_file():
        raise ConfigError(f"transform.project = {str(own)!r}: no dbt_project.yml there; `ecom_lite init` writes a project")
    return own


def boards(settings: Settings) -> Path:
    """The folder of the boards, the user's own where the settings name one. Raises ConfigError where it has none."""
    own = settings.dashboards.folder
    if own is None:
        return bundled("grafana") / "dashboards"
    if not any(own.glob("*.json")):
        raise ConfigError(f"dashboards.folder = {str(own)!r}: no board (.json) there; `ecom_lite init` writes some")
    return own
