"""The marts of one run: dbt in this process, one run at a time, at a lower priority than the loader's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import TransformError
from ..settings.bundled import dbt_project
from ..settings.data_dir import DBT
from ..settings.tree import Settings
from ..system import step_back
from ..warehouse.connect import Address

if TYPE_CHECKING:  # imported with the first dbt run
    from ..transform import DbtRun, Transform

DBT_NICE: Final = 5


class Marts:
    """`refresh` builds them; `where` is asked once the warehouse is up, and `held` what dbt must wait for. For any thread. Raises
    ConfigError."""

    def __init__(self, settings: Settings, where: Callable[[], Address], held: Callable[[], str] = str) -> None:
        self.held = held
        self._project = dbt_project(settings)
        self._threads = settings.transform.threads
        self._folder: Path = settings.data_dir / DBT
        self._where = where
        self._lock = threading.Lock()
        self._transform: Transform | None = None

    def require_known(self, select: Sequence[str]) -> None:
        """Raises UsageError, with names that are near, where there is no such model. Quick: neither dbt nor database is asked."""
        from ..transform import model_names, require_known

        require_known(select, model_names(self._project))

    def refresh(
        self, trigger: str, *, full_refresh: bool = False, select: Sequence[str] = (),
        said: Callable[[str], None] = lambda text: None,
    ) -> DbtRun:  # fmt: skip
        """One dbt run, of all models or of `select` and what they are made from. Blocks, behind any other run; `said` hears of
        the waiting, and of each model as it finishes.

        A failing test or model is in the result. Raises TransformError where dbt cannot run at all, UsageError where there is no
        such model.
        """
        if held := self.held():
            raise TransformError(f"dbt was not run, it waits for {held}")
        transform = self._ready()
        with ThreadPoolExecutor(1, thread_name_prefix="dbt", initializer=step_back, initargs=(DBT_NICE,)) as thread:
            return thread.submit(transform.run, trigger, full_refresh=full_refresh, select=select, said=said).result()

    def docs(self) -> Path:
        """dbt's documentation of the models, one HTML file. Blocks for seconds where it is not there yet, behind any run. Raises
        TransformError."""
        transform, reader = self._ready(), self._where().only("ecom_reader")
        with ThreadPoolExecutor(1, thread_name_prefix="dbt docs", initializer=step_back, initargs=(DBT_NICE,)) as thread:
            return thread.submit(transform.docs, reader).result()

    def _ready(self) -> Transform:
        from ..transform import Transform

        with self._lock:
            if self._transform is None:
                address = self._where().only("ecom_dbt")
                self._transform = Transform(address, self._project, self._folder, self._threads)
            return self._transform
