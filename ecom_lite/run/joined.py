"""Which servers `ecom_lite load` joins: those that the settings name, else those of the run in the data folder."""

from __future__ import annotations

from ..errors import UsageError
from ..live.lock import holder
from ..live.state import read_state
from ..settings.tree import Settings
from .reach import Reach, live_reach, named_address, reach_of


def joined_reach(settings: Settings) -> Reach:
    """Raises UsageError where neither is there, or where one server is named and is not the run's."""
    named = {"kafka.bootstrap": settings.kafka.bootstrap, "postgres.url": settings.postgres.url.get_secret_value()}
    missing = [name for name, value in named.items() if not value]
    if not missing:
        return reach_of(settings)
    if (holder(settings.data_dir) or {}).get("purpose") == "run":
        reach = live_reach(settings)
        _require_same(settings, reach, missing)
        return reach
    raise UsageError(
        f"`ecom_lite load` starts no servers: set {' and '.join(missing)} (config.toml, or "
        f"{' and '.join('ECOM_LITE_' + name.upper().replace('.', '__') for name in missing)}) to join those of another machine, "
        f"or start `ecom_lite run` first to join it; nothing runs in {settings.data_dir}"
    )


def _require_same(settings: Settings, reach: Reach, missing: list[str]) -> None:
    """One server that is named and one that is not: only as the run has them."""
    state = read_state(settings.data_dir)  # as the run says it: `reach` has the named one already
    used_by_run = "" if state is None or state.postgres is None else state.postgres.place
    postgres = named_address(settings).place if settings.postgres.url.get_secret_value() else ""
    for name, wanted, used in (
        ("kafka.bootstrap", settings.kafka.bootstrap, reach.bootstrap),
        ("postgres.url", postgres, used_by_run),
    ):
        if wanted not in ("", used):
            raise UsageError(
                f"{name} is {wanted}, and the run in {settings.data_dir} uses {used}: leave it out to join that run, or set "
                f"{' and '.join(missing)}, too"
            )
