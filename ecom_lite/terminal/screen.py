"""What reaches a terminal: text in which nothing acts on it. Data comes from a topic that anybody may write to."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import IO, Any, Final

PLAIN: Final = "ECOM_LITE_PLAIN"  # the environment variable: not empty, and all is plain
# C0 without tab and newline, DEL and C1, the overrides of the reading direction.
ACTING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with what acts on a terminal spelled out: `\\x1b`, `\\u202e`."""
    return ACTING.sub(lambda found: f"\\x{ord(found[0]):02x}" if ord(found[0]) < 256 else f"\\u{ord(found[0]):04x}", text)


class Screen:
    """A text stream to a terminal that shows all text visibly; everything else is the stream's own."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        return self.stream.write(visible(text))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def protect() -> None:
    """From now on, whatever this process prints to a terminal is visible text; files and pipes get the exact bytes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and stream.isatty() and not isinstance(stream, Screen):
            setattr(sys, name, Screen(stream))


def unprotected(stream: IO[str]) -> IO[str]:
    """For whoever makes text visible itself and adds sequences of its own."""
    return stream.stream if isinstance(stream, Screen) else stream


def shown(text: str) -> str:
    """A text as stdout will show it: for widths."""
    return visible(text) if sys.stdout.isatty() else text
