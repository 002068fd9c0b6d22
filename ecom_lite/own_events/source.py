"""A file of one's own events, or stdin, as a stream of bytes: decompressed, and its beginning looked at."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import select
from typing import Any, BinaryIO, Final, cast

import zstandard  # comes with kafka-python[zstd]

from ..errors import UsageError

HEAD_BYTES: Final = 4096
BUFFER_BYTES: Final = 64 * 1024
ZSTD_BYTES: Final = 4096  # read in one go: they become a thousand times as many at the worst
DAMAGED: Final = (OSError, EOFError, zlib.error, zstandard.ZstdError)  # what reading raises in the middle of a file
GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"


class Pipe:
    """Bytes as they come. While there are none, `meanwhile` is called; it returns in how many seconds again, None for never."""

    def __init__(self, number: int) -> None:
        self._number = number  # of the open file
        self.meanwhile: Callable[[], float | None] = lambda: None

    def read1(self, size: int) -> bytes:
        """At least one byte, but at the end."""
        wait_s: float | None = 0.0
        while wait_s is not None and not select((self._number,), (), (), wait_s)[0]:
            wait_s = self.meanwhile()
        return os.read(self._number, size)


@dataclass(frozen=True)
class Source:
    """`head` are the first bytes of `stream`, which gives them once more. `path` is a regular file that is not compressed.

    Where it is a pipe, its `meanwhile` may be set.
    """

    name: str
    head: bytes
    stream: BinaryIO
    path: Path | None
    pipe: Pipe | None = None

    @property
    def title(self) -> str:
        return "stdin" if self.name == "-" else self.name


def can_be_read_twice(name: str) -> bool:
    """Whether it is a file: neither stdin nor a pipe."""
    return name != "-" and Path(name).is_file()


@contextmanager
def opened(name: str, say: Callable[[str], None]) -> Iterator[Source]:
    """File `name`, or stdin for "-". Raises UsageError where there is none to read."""
    if name == "-":
        if sys.stdin.isatty():
            say("reading events from the terminal, one a line; Ctrl-D ends them")
        yield _source(name, Pipe(sys.stdin.fileno()), None)
        return
    path = Path(name)
    if path.is_dir():
        raise UsageError(f"{name} is a folder: name a file of events")
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise UsageError(f"{name}: no such file; - reads stdin") from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    with file:
        yield _source(name, file, path) if path.is_file() else _source(name, Pipe(file.fileno()), None)


def _source(name: str, file: Any, path: Path | None) -> Source:
    pipe = file if isinstance(file, Pipe) else None
    try:
        head, stream = _peek(file)
        if head.startswith(GZIP):
            path, (head, stream) = None, _peek(gzip.GzipFile(fileobj=stream))
        elif head.startswith(ZSTD):
            path, (head, stream) = None, _peek(io.BufferedReader(_Zstd(stream)))
    except DAMAGED as error:
        raise UsageError(
            f"{'stdin' if name == '-' else name} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    return Source(name, head, stream, path, pipe)


def _peek(file: Any) -> tuple[bytes, BinaryIO]:
    """The first bytes, up to the end of the first line that is not blank; more are not waited for."""
    head = b""
    while len(head) < HEAD_BYTES and b"\n" not in head.lstrip():
        more = file.read1(HEAD_BYTES - len(head))
        if not more:
            break
        head += more
    return head, cast(BinaryIO, io.BufferedReader(_FromHead(head, file), BUFFER_BYTES))


class _FromHead(io.RawIOBase):
    """What has been looked at, and then the rest, as it comes: a live pipe is read line by line."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        size = len(into)
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            data = self._rest.read1(size)
        into[: len(data)] = data
        return len(data)


class _Zstd(io.RawIOBase):
    """Zstandard's frames one after another. (The library's own reader takes a file that is cut off for a whole one.)"""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame: Any = None
        self._left = self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._ready:
            data = self._left or cast(Any, self._file).read1(ZSTD_BYTES)
            if not data:
                if self._frame is not None and not self._frame.eof:
                    raise EOFError("Zstandard's data ends before its end: the file seems to be cut off")
                return 0
            if self._frame is None or self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = self._frame.decompress(data)
            self._left = self._frame.unused_data if self._frame.eof else b""
        size = min(len(into), len(self._ready))
        into[:size], self._ready = self._ready[:size], self._ready[size:]
        return size
