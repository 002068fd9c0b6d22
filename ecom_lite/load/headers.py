"""Record headers whose names are not UTF-8: read as Kafka's own clients do, so that one such record cannot block a partition."""

from __future__ import annotations

from typing import Any

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch


class _Name(bytearray):
    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, "backslashreplace")


class _LenientBuffer(bytearray):
    """A batch's bytes, of which every slice can be decoded."""

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        return _Name(part) if isinstance(index, slice) else part


class LenientBatch(DefaultRecordBatch):  # type: ignore[misc]
    """kafka-python refuses a batch with such a name for good (CorruptRecordError at each poll); here it gets \\x escapes."""

    def _read_msg(self, *args: Any) -> Any:
        try:
            return super()._read_msg(*args)
        except UnicodeDecodeError:
            self._buffer: Any = _LenientBuffer(self._buffer)
            return super()._read_msg(*args)


def install() -> None:
    """For all consumers of this process, from now on. Safe to repeat."""
    memory_records.DefaultRecordBatch = LenientBatch
