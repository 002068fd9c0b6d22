"""The built-in page as a part that the supervisor keeps alive."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ..engines.ports import claim, free_port
from ..observe.health import Health
from ..settings.password import is_loopback
from ..settings.tree import Dashboards

if TYPE_CHECKING:
    from ..dashboards.page import Page

PAGE_PORT: Final = 8100  # tried first, so that a bookmark keeps working
WATCH_S: Final = 0.5


def page_port(dashboards: Dashboards) -> int:
    """The one of the settings, else 8100, else a free one."""
    return dashboards.port or (PAGE_PORT if claim(PAGE_PORT, dashboards.host) else free_port(dashboards.host))


def port_line(dashboards: Dashboards, url: str) -> dict[str, str]:
    """What the banner says of a port that nobody has asked for: it will be another one next time."""
    if dashboards.port or not url or urlsplit(url).port == PAGE_PORT:
        return {}
    return {"port": f"{PAGE_PORT} was taken, so that this start has a free one; dashboards.port fixes one"}


def log_in_line(dashboards: Dashboards, url: str) -> dict[str, str]:
    """What the banner says of the log-in; nothing where there is none."""
    if not dashboards.password.get_secret_value():
        return {}
    if is_loopback(dashboards.host):
        return {"log-in": "by dashboards.password"}
    host = "ADDRESS-OF-THIS-MACHINE" if dashboards.host in ("", "0.0.0.0", "::") else dashboards.host
    port = urlsplit(url).port or ""
    return {
        "log-in": f"other machines: {host} port {port}, by dashboards.password; plain HTTP, so only in a network that you trust"
    }


class PageService:
    name = "page"

    def __init__(self, build: Callable[[], Page]) -> None:
        self._build = build  # asked once the warehouse is up
        self._page: Page | None = None

    @property
    def url(self) -> str:
        """Empty before the first start."""
        return "" if self._page is None else self._page.url

    def start(self) -> None:
        self._page = self._build()
        self._page.start()

    def run(self, stop: Event) -> None:
        while not stop.wait(WATCH_S):
            if self._page is None or not self._page.alive:
                raise RuntimeError("the page's server ended")

    def stop(self) -> None:
        if self._page is not None:
            self._page.stop()

    def health(self) -> Health:
        alive = self._page is not None and self._page.alive
        return Health(alive, "" if alive else "not running")
