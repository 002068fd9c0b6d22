"""Whether who can reach the page must log in: beyond this machine nobody may look without a password."""

from __future__ import annotations

from ..errors import ConfigError
from ..settings.password import is_loopback
from ..settings.tree import Settings

FIX = "set dashboards.password (`ecom_lite password` makes a hash for it), or keep dashboards.host = 127.0.0.1"


def open_to_all(settings: Settings) -> str:
    """What is wrong, in words; "" where nothing is."""
    host = settings.dashboards.host
    if is_loopback(host) or settings.dashboards.password.get_secret_value():
        return ""
    return f"dashboards.host = {host!r} lets other machines look, and dashboards.password is not set"


def require_page_login(settings: Settings) -> None:
    """Raises ConfigError, which names both settings."""
    if wrong := open_to_all(settings):
        raise ConfigError(f"{wrong}: {FIX}")
