"""DuckDB made ready in a thread of its own, while the main one still reads the settings and looks for the warehouse."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


class Warm:
    """Begins at once; `taken` waits for it."""

    def __init__(self) -> None:
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._error: Exception | None = None
        # No daemon: Python would end it inside C++, which aborts the process. The end of a command waits for it instead.
        self._thread = Thread(target=self._make, name="warm")
        self._thread.start()

    def taken(self) -> duckdb.DuckDBPyConnection:
        """The engine, once: a second call makes another. Raises what making it raised."""
        from .duck import engine

        self._thread.join()
        made, self._engine = self._engine, None
        if self._error is not None:
            raise self._error
        return made or engine()

    def _make(self) -> None:
        try:
            from .duck import engine

            self._engine = engine()
        except Exception as error:
            self._error = error
