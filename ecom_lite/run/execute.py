"""Begins a run: refuses what cannot work, and has the servers start while the rest of the program is still imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..contract.events import utc_now
from ..engines.from_settings import jar_groups
from ..errors import UsageError
from ..machine.page_login import require_page_login
from ..machine.ports import require_ports
from ..machine.shipped import behind
from ..settings.bundled import boards, dbt_project
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from .servers import servers

if TYPE_CHECKING:
    from .teller import Teller


@dataclass(frozen=True)
class DemoOptions:
    """`look_s`: so long each step is left to be looked at. `go_on` waits, after it, for whoever wants the next one.

    `passing`: the data goes with the run.
    """

    look_s: float = 0.0
    go_on: Callable[[Teller], None] = lambda teller: None
    passing: bool = False


@dataclass(frozen=True)
class Options:
    """How long, and what to show. With `for_s`, a number of events or a demo the run ends by itself and takes the count."""

    for_s: float | None = None
    json: bool = False
    open_page: bool = False
    quiet: bool = False
    demo: DemoOptions | None = None


def refuse_impossible_run(settings: Settings) -> None:
    """Before anything is made, or deleted for it. Raises UsageError, ConfigError."""
    require_page_login(settings)
    if settings.shop.events is not None and not settings.shop.enabled:
        raise UsageError("--events counts what the simulated shop sends, and shop.enabled is false: use --for, or enable it")
    if settings.shop.enabled:
        from ..produce.plan import refuse_impossible

        refuse_impossible(settings.shop, utc_now())
    dbt_project(settings), boards(settings)


def execute(settings: Settings, options: Options, terminal: Terminal | None = None) -> tuple[int, dict[str, Any]]:
    """One run in this process: (exit code, summary); the summary is {} where none was asked for.

    Raises EcomLiteError when a part cannot start or dies for good; KeyboardInterrupt while jars are fetched.
    """
    refuse_impossible_run(settings)
    terminal = terminal or Terminal(options.quiet)
    if newer := behind(settings):
        terminal.say(
            f"this version has {newer} newer {'file' if newer == 1 else 'files'} of those that you use: `ecom_lite diff`"
        )
    started = servers(
        settings, "run", terminal, jars=[group for group in jar_groups(settings) if group != "kafka"],
        restarts=settings.run.restarts, sets_clock=True, spark=not settings.run.light,
    )  # fmt: skip
    with started as servers_:
        require_ports(settings)
        servers_.ahead()
        from .life import Run  # half a second of imports, which the JVMs use

        return Run(settings, options, servers_, terminal).execute()
