"""What the keeper holds: Kafka and PostgreSQL of a test session, started side by side, and the topics that are made on them."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..engines import pgfiles
from ..engines.from_settings import kafka_server
from ..engines.registry import ChildRegistry
from ..engines.scratch import Scratch, clear_dead
from ..errors import ConfigError, EcomLiteError, EngineError, UsageError
from ..settings.data_dir import CHILDREN, KAFKA, POSTGRES
from ..settings.load import load_settings
from ..settings.tree import Settings
from .aside import DROP, MAKE, Aside
from .options import FIXED, NOT_TO_BE_SET, OWN_KAFKA, OWN_POSTGRES, as_set

DEFAULTS: Final = {"kafka.heap_mb": 128, "load.flush_ms": 10}
OURS: Final = {"run.light": True, **OWN_KAFKA, **OWN_POSTGRES}
SAME: Final = ("run.", "jars.", "kafka.heap_mb", "kafka.port", "postgres.")  # one for the whole session, or no choice at all
if TYPE_CHECKING:  # imported beside the start of the engines
    from .database import Database
    from .place import Place


class Shared:
    """Raises EcomLiteError where an engine does not start; nothing runs then. The rest is for any thread."""

    def __init__(self, folder: Path, flags: Mapping[str, str]) -> None:
        self._flags: dict[str, Any] = {**DEFAULTS, **flags}
        _clear_former(folder)
        self._scratch = Scratch("testing", folder)
        self._numbers = itertools.count(1)
        self._places: dict[str, Place] = {}
        self._aside = Aside()
        self._lock = threading.Lock()
        self._names: set[str] = set()  # of all topics there ever were: what goes may still be going
        self._ahead: Future[Place] | None = None
        settings = self._settings({})
        kafka = kafka_server(settings, self._scratch.registry)
        assert kafka is not None  # kafka.bootstrap is empty
        self._kafka = kafka
        self._database: Database | None = None
        try:
            with ThreadPoolExecutor(2) as aside:
                broker = aside.submit(kafka.start)
                from .database import Database  # from here on all imports are beside the start of the JVM

                self._database = Database(settings, self._scratch.registry)
                template = aside.submit(self._database.start)
                from . import place  # noqa: F401

                self._template = template.result()
                broker.result()
        except BaseException:
            self.stop(polite=False)
            raise

    def _settings(self, flags: Mapping[str, Any]) -> Settings:
        try:
            return load_settings(flags={**self._flags, **flags, **OURS, "run.data_dir": self._scratch.path})
        except ConfigError as error:
            raise ConfigError(as_set(str(error), flags)) from None

    def answer(self, what: str, *arguments: Any) -> Any:
        """One request of a test process: open (a name, or none; settings), or one of a place: its topic comes first."""
        if what == "open":
            return self._open(*arguments)
        topic, *rest = arguments
        if what == "close":
            self.drop([topic])
            return None
        place = self._places.get(topic)
        if place is None:
            raise EngineError(f"there is no topic {topic}: the engines were started anew since it was made")
        try:
            return getattr(place, what)(*rest)
        except Exception as error:
            self._say_what_died(error)
            raise

    def _open(self, topic: str, flags: Mapping[str, Any]) -> dict[str, str]:
        if wrong := [name for name in flags if name in FIXED]:
            raise UsageError(f"{', '.join(wrong)}: {NOT_TO_BE_SET}")
        if wrong := [name for name in flags if name.startswith(SAME)]:
            raise UsageError(f"{', '.join(wrong)}: cannot be set for one test, only for the session (ecom_lite_settings)")
        usual = not (topic or flags)
        place = self._from_ahead() if usual else None
        try:
            place = place or self._prepared(topic, flags)
        except Exception as error:
            self._say_what_died(error)
            raise
        place.begin()
        known = place.known()
        self._places[known["topic"]] = place
        if usual:  # a test that has one of its own is seldom the only one
            with self._lock:
                self._ahead = self._ahead or self._aside.do(MAKE, partial(self._prepared, "", {}))
        return known

    def _prepared(self, topic: str, flags: Mapping[str, Any]) -> Place:
        """Topic and database of a place that nobody uses yet."""
        from .place import Place

        with self._lock:
            number = next(self._numbers)
            topic = topic if topic and topic not in self._names else f"{topic or 'events'}_{number}"
            self._names.add(topic)
        settings = self._settings({**flags, "kafka.topic": topic})
        if settings.topics[1:]:
            raise UsageError(f"{', '.join(settings.topics[1:])}: one topic for each test; `light_warehouse` takes further ones")
        place = Place(settings, self._kafka.bootstrap, self._template, f"test_{number}")
        place.prepare()
        return place

    def _from_ahead(self) -> Place | None:
        """The one that was made during the test before; None where there is none, or its making has not begun, or failed."""
        with self._lock:
            ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.cancel():
            return None
        try:
            return ahead.result()
        except Exception:  # making it anew tells why
            return None

    def _say_what_died(self, error: Exception) -> None:
        """An engine that has died is the reason of all that fails then."""
        assert self._database is not None
        for engine in (self._kafka, self._database.server):
            if not engine.alive:
                raise EngineError(f"{engine.name} has died; its log ends: {engine.log_tail(8)}") from error

    def drop(self, topics: Iterable[str]) -> None:
        """What these tests had goes, in the background."""
        for topic in list(topics):
            place = self._places.pop(topic, None)
            if place is not None:
                place.end()
                self._aside.do(DROP, place.drop)

    def settle(self) -> None:
        """What can wait until the engines are up: what killed sessions have left goes."""
        with suppress(EcomLiteError, OSError):
            clear_dead()

    def stop(self, polite: bool) -> None:
        """The engines end; Kafka by itself where its classes are wanted for an archive."""
        if polite and self._kafka.archive_missing:
            self._kafka.stop()
        else:
            self._kafka.kill()
        if self._database is not None:
            self._database.server.kill()

    def quicken(self) -> None:
        """Where there was no class archive for Kafka: make it, at the lowest priority, for the sessions after this one."""
        with suppress(EcomLiteError, OSError):
            if self._kafka.archive_wanted:
                self._kafka.build_archive()

    def remove(self) -> None:
        self._scratch.remove()


def _clear_former(folder: Path) -> None:
    """Of a keeper of this session that was killed."""
    if (folder / CHILDREN).exists():
        ChildRegistry(folder / CHILDREN).cleanup()
        pgfiles.remove_cluster(folder / POSTGRES)
        shutil.rmtree(folder / KAFKA, ignore_errors=True)


def clear(folder: Path) -> None:
    """Of a session whose engines were never up."""
    pgfiles.remove_cluster(folder / POSTGRES)
    shutil.rmtree(folder, ignore_errors=True)
