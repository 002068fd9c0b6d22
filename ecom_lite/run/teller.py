"""Tells a story of this run in chapters, by a thread of its own: at most one at a time, for the page and for whoever listens."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Any, Final

from msgspec.structs import replace

from ..errors import EcomLiteError, first_line
from ..observe.story import DONE, FAILED, NOW, Chapter, Telling

log = logging.getLogger("ecom_lite.supervise")

POLL_S: Final = 0.25
JOIN_S: Final = 5.0


class StoryEnded(Exception):
    """Somebody has ended it, or the run ends."""


class Teller:
    """`begin`, `end` and `telling` are for any thread; the rest is for the story that is told.

    `hear` is told of a chapter that begins, and once more when it is over.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, poll_s: float = POLL_S,
        hear: Callable[[int, Chapter], None] = lambda place, chapter: None,
    ) -> None:  # fmt: skip
        self.clock = clock
        self.hear = hear
        self.poll_s = poll_s
        self._lock = Lock()
        self._end = Event()
        self._thread: Thread | None = None
        self._telling = Telling()

    def telling(self) -> Telling:
        """As far as it has come; the last one, when none is told now."""
        with self._lock:
            return self._telling

    def begin(self, story: Telling, tell: Callable[[], str], require: Callable[[], None] = lambda: None) -> None:
        """Tell it: `tell` goes through its chapters, and returns how it ended, in one line; `require` refuses what cannot be told
        now. Raises EcomLiteError, also where one is being told."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise EcomLiteError("a story is being told already: wait for its end, or end it")
            require()
            self._end = Event()
            self._telling = replace(story, state="telling")
            self._thread = Thread(target=self._tell, args=(tell,), name="story", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """End it early: what it has changed is put back. Safe when none is told."""
        self._end.set()

    def stop(self) -> None:
        """The run ends: as `end`, and wait for it a few seconds. Safe to repeat."""
        self._end.set()
        thread = self._thread
        if thread is not None:
            thread.join(JOIN_S)

    @contextmanager
    def chapter(self, place: int, text: str = "") -> Iterator[None]:
        """While it is the one that is told, with this caption first. One that raises has failed."""
        began = self.clock()
        self._put(place, state=NOW, text=text)
        self.hear(place, self.telling().chapters[place])
        try:
            yield
        except BaseException as error:
            failed = {} if isinstance(error, StoryEnded) else {"text": first_line(error)}
            self._put(place, state=FAILED, seconds=self.clock() - began, **failed)
            if failed:
                self.hear(place, self.telling().chapters[place])
            raise
        self._put(place, state=DONE, seconds=self.clock() - began)
        self.hear(place, self.telling().chapters[place])

    def say(self, place: int, text: str) -> None:
        """The chapter's caption."""
        self._put(place, text=text)

    def let_pass(self, seconds: float, look: Callable[[float], object] = lambda left: None) -> None:
        """So long; `look` is told how many seconds are left. Raises StoryEnded."""
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            look(left)
            if self._end.wait(min(left, self.poll_s)):
                raise StoryEnded
        if self._end.is_set():
            raise StoryEnded

    def until(self, holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
        """Until it holds. Raises EcomLiteError, which says `otherwise`, where it does not in time; StoryEnded."""
        give_up = self.clock() + seconds
        while not holds():
            if self.clock() > give_up:
                raise EcomLiteError(f"{otherwise}: see the parts' logs")
            if self._end.wait(self.poll_s):
                raise StoryEnded

    def _tell(self, tell: Callable[[], str]) -> None:
        try:
            self._close("closed", tell())
        except StoryEnded:
            self._close("ended", "Ended early. What it had changed is put back.")
        except EcomLiteError as error:
            self._close("failed", first_line(error))
        except Exception as error:
            log.exception("the story broke off")
            self._close("failed", first_line(error))

    def _put(self, place: int, **changes: Any) -> None:
        with self._lock:
            chapters = [replace(one, **changes) if n == place else one for n, one in enumerate(self._telling.chapters)]
            self._telling = replace(self._telling, chapters=chapters)

    def _close(self, state: str, told: str) -> None:
        log.info("the story: %s", told)
        with self._lock:
            self._telling = replace(self._telling, state=state, told=told)


def chapters(titles: Sequence[str]) -> list[Chapter]:
    """To come, all of them."""
    return [Chapter(title=title) for title in titles]
