"""What test processes and the keeper say to each other: msgpack on a socket, never pickle; results come as what they were."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

T = TypeVar("T")
DECIMAL: Final = 1  # msgpack has no decimal numbers: one is an extension of this code, its text


def say(line: Connection, message: Any) -> None:
    """Raises OSError where nobody hears."""
    plain = msgspec.to_builtins(message, builtin_types=(Decimal, bytes), enc_hook=str)
    line.send_bytes(msgspec.msgpack.encode(_tagged(plain)))


def hear(line: Connection) -> Any:
    """The next message, in plain types. Blocks; raises EOFError and OSError where nobody speaks any more."""
    return msgspec.msgpack.decode(line.recv_bytes(), ext_hook=_untagged)


def result(answer: Any, kind: type[T]) -> T:
    """An answer as the struct or dataclass that was sent."""
    return msgspec.convert(answer, kind, builtin_types=(Decimal, bytes), dec_hook=_path)


def _tagged(value: Any) -> Any:
    if isinstance(value, Decimal):
        return msgspec.msgpack.Ext(DECIMAL, str(value).encode())
    if isinstance(value, dict):
        return {name: _tagged(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_tagged(each) for each in value]
    return value


def _untagged(code: int, data: memoryview) -> Any:
    if code != DECIMAL:
        raise ValueError(f"no such extension: {code}")
    return Decimal(bytes(data).decode())


def _path(kind: type, value: Any) -> Any:
    """Of a field that may be anything (`object`) the value is it."""
    return Path(value) if kind is Path else value
