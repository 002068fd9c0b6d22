"""What a story (of a fault, or the demo) says of itself: one type for the run that tells it and the page that shows it."""

from __future__ import annotations

from msgspec import Struct

TO_COME = "to come"
NOW = "now"
DONE = "done"
FAILED = "failed"


class Chapter(Struct, frozen=True, kw_only=True):
    """One step. `text` is its caption; while it goes on, with the figures of now."""

    title: str
    text: str = ""
    look: str = ""  # where on the page it shows, in words
    link: str = ""  # the page's path to it, such as /d/business-intelligence
    state: str = TO_COME  # to come, now, done, failed
    seconds: float = 0.0


class Telling(Struct, frozen=True, kw_only=True):
    """The story as far as it has come; of the last one, when none is told now."""

    kind: str = "fault"  # or "demo"
    state: str = "none"  # none, telling, closed (the count has), ended (by hand), failed
    part: str = ""  # that is killed
    parts: list[str] = []  # that can be chosen in this run
    chapters: list[Chapter] = []
    told: str = ""  # how it ended: one line
