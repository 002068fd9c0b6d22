"""Which broker a command sends to: the live run's, else that of the settings."""

from __future__ import annotations

from ..errors import EcomLiteError, NotRunning
from ..settings.tree import Settings
from .lock import holder
from .state import read_state


def bootstrap_of(settings: Settings) -> str:
    """`host:port,...`. Raises NotRunning, or EcomLiteError while the run is still starting."""
    who = holder(settings.data_dir)
    if who is not None and who.get("purpose", "run") == "run":
        state = read_state(settings.data_dir)
        if state is not None and state.bootstrap:
            return state.bootstrap
        if not settings.kafka.bootstrap:
            raise EcomLiteError(f"the run in {settings.data_dir} is still starting: wait until `ecom_lite status` says running")
    if not settings.kafka.bootstrap:
        raise NotRunning(
            f"no broker to send to: nothing runs in {settings.data_dir}, and kafka.bootstrap is not set. Start `ecom_lite run` "
            "(with shop.enabled = false it has only your events), or name a broker: ECOM_LITE_KAFKA__BOOTSTRAP=host:9092"
        )
    return settings.kafka.bootstrap
