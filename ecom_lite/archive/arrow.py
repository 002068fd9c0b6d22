"""Columns of bytes and numbers as an Arrow stream, which DuckDB reads where it lies: nothing is parsed or copied value by value.

The two structures and their meaning are Arrow's C data interface; Python objects hand them over as capsules.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final, cast

NULLABLE: Final = 2
STREAM_NAME: Final = b"arrow_array_stream"


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_ReleaseSchema = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))
_ReleaseArray = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))
_ReleaseStream = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))
_GetSchema = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))
_GetNext = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))
_GetLastError = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))

_Schema._fields_ = [
    ("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_char_p), ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)), ("release", _ReleaseSchema), ("private_data", ctypes.c_void_p),
]  # fmt: skip
_Array._fields_ = [
    ("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64), ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))), ("dictionary", ctypes.POINTER(_Array)), ("release", _ReleaseArray),
    ("private_data", ctypes.c_void_p),
]  # fmt: skip
_Stream._fields_ = [
    ("get_schema", _GetSchema),
    ("get_next", _GetNext),
    ("get_last_error", _GetLastError),
    ("release", _ReleaseStream),
    ("private_data", ctypes.c_void_p),
]

_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype, _capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


# Python owns all memory, for as long as the Table lives: to release is only to say so.
def _say_schema_released(schema: Any) -> None:
    schema.contents.release = _ReleaseSchema()


def _say_array_released(values: Any) -> None:
    values.contents.release = _ReleaseArray()


def _say_stream_released(stream: Any) -> None:
    stream.contents.release = _ReleaseStream()


def _no_error(stream: Any) -> None:
    return None


_release_schema, _release_array = _ReleaseSchema(_say_schema_released), _ReleaseArray(_say_array_released)
_release_stream, _last_error = _ReleaseStream(_say_stream_released), _GetLastError(_no_error)


class Column:
    """A name, a type and its values. Made by the functions below."""

    def __init__(
        self,
        name: str,
        form: bytes,
        length: int,
        buffers: Sequence[bytes | None],
        children: Sequence[Column] = (),
        nulls: int = 0,
    ) -> None:
        self.name = name
        self._kept = (*buffers, *children)
        self._addresses = (ctypes.c_void_p * len(buffers))(*[_address(buffer) for buffer in buffers])
        schemas = (ctypes.POINTER(_Schema) * len(children))(*[ctypes.pointer(child.schema) for child in children])
        arrays = (ctypes.POINTER(_Array) * len(children))(*[ctypes.pointer(child.values) for child in children])
        self._pointers = schemas, arrays
        self.schema: _Schema = _Schema(
            form, name.encode(), None, NULLABLE, len(children), schemas if children else None, None, _release_schema, None
        )
        self.values: _Array = _Array(
            length, nulls, 0, len(buffers), len(children), self._addresses, arrays if children else None, None, _release_array,
            None,
        )  # fmt: skip


def _address(buffer: bytes | None) -> int | None:
    return None if buffer is None else ctypes.cast(ctypes.c_char_p(buffer), ctypes.c_void_p).value


def blobs(name: str, values: Sequence[bytes | None]) -> Column:
    """Bytes as they are; None is null."""
    return _texts(name, b"z", values)


def texts(name: str, values: Sequence[str]) -> Column:
    """Text as UTF-8."""
    return _texts(name, b"u", [value.encode() for value in values])


def _texts(name: str, form: bytes, values: Sequence[bytes | None]) -> Column:
    valid, present = None, values
    if None in values:
        valid, present = _valid(values), [value or b"" for value in values]
    whole = cast("Sequence[bytes]", present)
    ends = array("i", accumulate(map(len, whole), initial=0)).tobytes()
    return Column(name, form, len(values), [valid, ends, b"".join(whole)], nulls=0 if valid is None else -1)


def numbers(name: str, values: Sequence[int | None], form: bytes = b"l") -> Column:
    """64-bit numbers; `form` says what they count: "tsm:UTC" are milliseconds since 1970."""
    valid, present = None, values
    if None in values:
        valid, present = _valid(values), [value or 0 for value in values]
    packed = array("q", cast("Sequence[int]", present)).tobytes()
    return Column(name, form, len(values), [valid, packed], nulls=0 if valid is None else -1)


def lists(name: str, lengths: Sequence[int], inside: Column) -> Column:
    """Lists of so many elements each, all of which stand one behind the other in `inside`."""
    ends = array("i", accumulate(lengths, initial=0)).tobytes()
    return Column(name, b"+l", len(lengths), [None, ends], [inside])


def structs(name: str, length: int, fields: Sequence[Column]) -> Column:
    """Rows of these columns."""
    return Column(name, b"+s", length, [None], fields)


def _valid(values: Sequence[object]) -> bytes:
    """A bit for each value, the lowest of a byte first: whether there is one."""
    packed = bytearray((len(values) + 7) // 8)
    for place, value in enumerate(values):
        if value is not None:
            packed[place >> 3] |= 1 << (place & 7)
    return bytes(packed)


class Table:
    """Rows of some columns; whoever takes Arrow streams can read it, any number of times, while it lives."""

    def __init__(self, length: int, columns: Sequence[Column]) -> None:
        self._rows = structs("", length, columns)
        self._streams: list[object] = []

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        rows, told = self._rows, False  # not of `self`: a table in a cycle would wait for the collector, with all its bytes

        def get_schema(stream: Any, out: Any) -> int:
            ctypes.memmove(out, ctypes.byref(rows.schema), ctypes.sizeof(_Schema))
            return 0

        def get_next(stream: Any, out: Any) -> int:
            nonlocal told
            if told:
                ctypes.memset(out, 0, ctypes.sizeof(_Array))  # released: that is the end
            else:
                ctypes.memmove(out, ctypes.byref(rows.values), ctypes.sizeof(_Array))
            told = True
            return 0

        stream = _Stream(_GetSchema(get_schema), _GetNext(get_next), _last_error, _release_stream, None)
        self._streams.append(stream)
        return _capsule(ctypes.addressof(stream), STREAM_NAME, None)
