"""The options of [tool.pytest.ini_options]: declared once, for the plugin and for docs/testing.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import pytest

NAME: Final = "ecom-lite"
Kind = Literal["string", "linelist"]
OPTIONS: Final[dict[str, tuple[Kind, Any, str]]] = {
    "ecom_lite_settings": (
        "linelist", [], "settings of ecom_lite for all fixtures, a line each: load.flush_ms = 50 (`ecom_lite config` names them)"
    ),
    "ecom_lite_timeout": ("string", "30", "seconds that wait_loaded and the asserts wait for the loader"),
    "ecom_lite_seed": ("string", "7", "the seed of ecom_lite_events"),
}  # fmt: skip


def option(config: pytest.Config, name: str) -> Any:
    """Its value; the default where only the fixtures were imported, and no plugin has declared it."""
    try:
        return config.getini(name)
    except (KeyError, ValueError):
        return OPTIONS[name][1]


def flags_of(config: pytest.Config) -> dict[str, str]:
    """ecom_lite_settings, by dotted name. Raises pytest.UsageError for a line that is no setting."""
    flags = {}
    for line in option(config, "ecom_lite_settings"):
        name, equals, value = line.partition("=")
        if not equals or "." not in name:
            import pytest

            raise pytest.UsageError(f"ecom_lite_settings: {line!r} is not section.setting = value")
        flags[name.strip()] = value.strip()
    return flags
