"""The columns of declared attributes: the members of their dimensions, and each line's values in binary COPY format."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import psycopg

from ..contract.attributes import SCALE, Attribute, getter
from ..settings.attributes import AttributeType
from ..warehouse.sqlfiles import fill_sql
from .decode import Line

MAX_CACHED: Final = 200_000  # members of all dimensions together; a fuller cache is emptied
_NULL: Final = struct.pack(">i", -1)
_LENGTH: Final = struct.Struct(">i")
_BIGINT: Final = struct.Struct(">iq")
_INTEGER: Final = struct.Struct(">ii")
_BOOLEAN: Final = struct.Struct(">i?")
_NUMERIC: Final = struct.Struct(">ihhHh7h")
_GROUP: Final = 10_000
_GROUPS: Final = 7  # of four digits: five before the point, two behind it
_NEGATIVE: Final = 0x4000
Encode = Callable[[Any], bytes]


class AttributeColumns:
    """Of no attribute, as made. Call `forget` when the transaction that `resolve` ran in is rolled back."""

    def __init__(self, declared: Mapping[str, AttributeType] | None = None) -> None:
        self._each = tuple(Attribute(name, kind) for name, kind in (declared or {}).items())
        # In one order for all loaders, so that two of them cannot deadlock, whatever order their settings have.
        self._dimensions = sorted(one for one in self._each if one.type == "dimension")
        self._read = getter(self._each) if self._each else None
        self.columns = tuple(f'"{one.name}_key"' if one.type == "dimension" else f'"{one.name}"' for one in self._each)
        self._members: dict[str, dict[str, int]] = {}
        self.forget()

    def forget(self) -> None:
        self._members = {one.name: {} for one in self._dimensions}

    def resolve(self, connection: psycopg.Connection, lines: Sequence[Line]) -> None:
        """Make the members of the dimensions known that these lines have."""
        if sum(map(len, self._members.values())) > MAX_CACHED:
            self.forget()
        for one in self._dimensions:
            known = self._members[one.name]
            said: set[str | None] = {getattr(line.event, one.field, None) for line in lines}
            missing = sorted(member for member in said if member is not None and member not in known)
            if missing:
                wanted = {"members": missing}
                connection.execute(fill_sql(__package__, "add_members", attribute=one.name), wanted)
                found = connection.execute(fill_sql(__package__, "find_members", attribute=one.name), wanted)
                known.update(found.fetchall())

    def encoder(self) -> Callable[[object], bytes] | None:
        """Makes the end of a line's row: the values of `columns`, each behind its length. None where there are none."""
        read = self._read
        if read is None:
            return None
        encoders = [self._encoder(one) for one in self._each]
        nothing = _NULL * len(encoders)

        def encode(event: object) -> bytes:
            try:
                values = read(event)
            except AttributeError:  # an event of our own shop, which is read by the contract alone
                return nothing
            return b"".join([encode(value) for encode, value in zip(encoders, values, strict=True)])

        return encode

    def _encoder(self, one: Attribute) -> Encode:
        if one.type == "dimension":
            members = self._members[one.name]
            return lambda value: _NULL if value is None else _INTEGER.pack(4, members[value])
        return _ENCODERS[one.type]


@lru_cache(maxsize=16_384)
def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    data = value.encode()
    return _LENGTH.pack(len(data)) + data


def _integer(value: int | None) -> bytes:
    return _NULL if value is None else _BIGINT.pack(8, value)


def _boolean(value: bool | None) -> bytes:
    return _NULL if value is None else _BOOLEAN.pack(1, value)


@lru_cache(maxsize=16_384)
def _number(value: Decimal | None) -> bytes:
    """A numeric of SCALE decimals."""
    if value is None:
        return _NULL
    left = int(value.scaleb(SCALE)) * 100  # two groups behind the point are eight decimals
    sign, left = (_NEGATIVE, -left) if left < 0 else (0, left)
    groups = []
    for _ in range(_GROUPS):
        left, group = divmod(left, _GROUP)
        groups.append(group)
    return _NUMERIC.pack(8 + 2 * _GROUPS, _GROUPS, _GROUPS - 3, sign, SCALE, *reversed(groups))


_ENCODERS: Final[Mapping[AttributeType, Encode]] = {
    "text": _text, "integer": _integer, "number": _number, "boolean": _boolean,
}  # fmt: skip
