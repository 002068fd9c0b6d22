"""A mapping as a decoder: the shape of the user's records as structs, made once, so that one pass finds every field in its place.

It takes the order lines that have no oddity. Everything else is left to the long way, which knows why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ..settings.events import Events
from .attributes import Attributes
from .events import settle_line
from .fields import Event, OrderLine, or_none, wire_struct
from .mapping import LINE_FIELDS, EventMapping, Path, path_in_line, steps_of, whole_units
from .rejected import refuse_not_utf8
from .times import event_time

_ESCAPE: Final = b"\\"
_NUL: Final = b"\\u0000"
_HIDDEN: Final = "~"  # stands before the name of a field that is not read where it would stand by itself

_REQUIRED: Final = frozenset(one.name for one in msgspec.structs.fields(wire_struct(OrderLine)) if one.required)
Reads = Callable[[bytes, datetime], list[Event]]


class NotTaken(Exception):
    """A record that is left to the long way."""


class _Node:
    """A struct to be: what its fields are called in JSON, and their types."""

    def __init__(self) -> None:
        self.leaves: dict[str, tuple[str, Any]] = {}  # by name in JSON: attribute, type
        self.nodes: dict[str, tuple[str, _Node]] = {}

    def leaf(self, path: Path, type_: Any) -> Path:
        """Read what stands at a path; the attributes that lead to it. ValueError where two fields need it in two shapes."""
        name, *rest = path
        if name.isdecimal():  # may be a place in a list
            raise ValueError(name)
        if rest:
            if name in self.leaves:
                raise ValueError(name)
            attribute, node = self.nodes.setdefault(name, (f"n{len(self.nodes)}_", _Node()))
            return (attribute, *node.leaf(tuple(rest), type_))
        if name in self.leaves or name in self.nodes:
            raise ValueError(name)
        attribute = f"v{len(self.leaves)}_"
        self.leaves[name] = (attribute, type_)
        return (attribute,)

    def fields(self) -> list[tuple[str, Any, Any]]:
        leaves = [(attribute, or_none(type_), None) for attribute, type_ in self.leaves.values()]
        return leaves + [(attribute, node.struct() | None, None) for attribute, node in self.nodes.values()]

    def names(self) -> dict[str, str]:
        """By attribute, the name in JSON."""
        return {attribute: name for name, (attribute, _) in [*self.leaves.items(), *self.nodes.items()]}

    def struct(self) -> Any:
        return msgspec.defstruct("_Part", self.fields(), kw_only=True, gc=False, rename=self.names())


Move = tuple[str, Sequence[Path]]  # a field, and where its value may stand: the first that is there counts


def compiled(events: Events, currency: str) -> Reads | None:
    """What reads the plain order lines of a mapping; None where a mapping is beyond it.

    `reads(value, now)` gives the events of a record, or raises something: the record is then for the long way. It never gives
    other events than the long way would.
    """
    try:
        made = _Compiled(events, currency)
    except (ValueError, TypeError, msgspec.ValidationError):
        return None
    return made.read_renamed if made.only_renames else made.read


class _Compiled:
    def __init__(self, events: Events, currency: str) -> None:
        self._mapping = EventMapping(events, currency)
        self._currency = currency
        attributes = Attributes(events.attributes)
        self._settle_attributes = attributes.settle_quickly if events.attributes else None
        self._strict = events.strict
        self._envelope = events.envelope
        self._cents = events.unit == "cents"
        self._own_time = events.time_unit != "auto" or events.time_zone != "UTC"
        self._document, self._line = _Node(), _Node()
        self._constants: list[tuple[str, Any]] = []
        self._from_line: list[Move] = []  # what does not stand in the line by its own name
        self._from_document: list[Move] = []
        self._unless_in_line: list[tuple[str, str]] = []  # a field, and the attribute of the document
        line = self._line_struct(events, attributes)
        self._lines: Path = ()
        whole = line
        if events.lines is not None:
            lines = Annotated[list[line], Meta(min_length=1)]  # type: ignore[valid-type]
            self._lines = self._document.leaf(steps_of(events.lines.removesuffix("[]")), lines)
            whole = self._document.struct()
        shape, self._unwrapped = _in_envelope(events.envelope, whole)
        self._decode = msgspec.json.Decoder(shape).decode

    def _line_struct(self, events: Events, attributes: Attributes) -> type[Struct]:
        several = events.lines is not None
        wire = [
            (one.name, one.name, one.type, one.default)
            for one in msgspec.structs.fields(wire_struct(OrderLine, strict=events.strict, names={}))
        ]
        wire += [(name, field, type_, None) for field, (name, type_) in attributes.quick({}).items()]
        constants: dict[str, Any] = {name: value for name, value in events.constants.items()}
        given: dict[str, tuple[str, ...]] = {name: paths for name, paths in events.fields.items()}
        fields: list[tuple[str, Any, Any]] = []
        rename: dict[str, str] = {}
        for name, field, type_, default in wire:
            paths = [path_in_line(path) for path in given.get(name, ())]
            if name == "event_type" and any(in_line for in_line, _ in paths):
                raise ValueError(name)
            in_line = [path for inside, path in paths if inside or not several]
            by_name = not paths or (len(paths) == len(in_line) == 1 and len(in_line[0]) == 1)
            if name not in constants and by_name:
                rename[field] = in_line[0][0] if paths else name
                if several and not paths and name not in LINE_FIELDS:
                    if type_ is Raw:  # whose null is not None
                        raise ValueError(name)
                    self._unless_in_line.append((field, self._document.leaf((name,), type_)[0]))
                    default = None
                fields.append((field, type_ if default is msgspec.NODEFAULT else or_none(type_), default))
                continue
            if name in constants:
                self._constants.append((field, _as_decoded(constants[name], type_)))
            elif len(in_line) == len(paths):
                self._from_line.append((field, [self._line.leaf(path, type_) for path in in_line]))
            elif not in_line:
                self._from_document.append((field, [self._document.leaf(path, type_) for _, path in paths]))
            else:  # some in the line and some in the document
                raise ValueError(name)
            fields.append((field, None, None))
            rename[field] = _HIDDEN + name
        rename |= self._line.names()
        return msgspec.defstruct(
            "_MappedLine", fields + self._line.fields(), bases=(OrderLine,), kw_only=True, gc=False, rename=rename
        )

    @property
    def only_renames(self) -> bool:
        return not (
            self._lines or self._constants or self._from_line or self._cents or self._own_time or self._envelope != "none"
        )

    def read_renamed(self, value: bytes, now: datetime) -> list[Event]:
        """As `read`, for a mapping that is no more than other names."""
        line = self._decode(value)
        if not value.isascii():
            refuse_not_utf8(value)
        if self._settle_attributes is not None:
            self._settle_attributes(line, value)
        return [settle_line(line, value, now, self._strict, self._currency)]

    def read(self, value: bytes, now: datetime) -> list[Event]:
        """The events of a record that is neither empty nor too large. Raises NotTaken, Rejected, or what a decoder raises."""
        document = self._unwrapped(self._decode(value))
        if not value.isascii():
            refuse_not_utf8(value)
        if document is None or (_ESCAPE in value and _NUL in value):
            raise NotTaken
        if not self._lines:
            return [self._settled(document, now)]
        lines: list[Any] | None = _at(document, self._lines)
        if lines is None:
            raise NotTaken
        shared = self._shared(document, now)
        otherwise = self._otherwise(document, now)
        for line in lines:
            for name, found in shared:
                setattr(line, name, found)
            for name, found in otherwise:
                if getattr(line, name) is None:
                    if found is None:
                        raise NotTaken
                    setattr(line, name, found)
            self._settled(line, now)
        return lines

    def _shared(self, document: Any, now: datetime) -> list[tuple[str, Any]]:
        """What each line takes from the document."""
        shared = []
        for name, paths in self._from_document:
            found = _found(document, paths)
            if found is None and name in _REQUIRED:
                raise NotTaken
            shared.append((name, self._time(found, now) if name == "timestamp" else found))
        return shared

    def _otherwise(self, document: Any, now: datetime) -> list[tuple[str, Any]]:
        """What a line without it takes from the document; None where it must have it itself."""
        otherwise = []
        for name, attribute in self._unless_in_line:
            found = getattr(document, attribute)
            if found is not None or name in _REQUIRED:
                otherwise.append((name, self._time(found, now) if name == "timestamp" and found is not None else found))
        return otherwise

    def _time(self, value: Any, now: datetime) -> datetime:
        return event_time(self._mapping.time_of(value) if self._own_time else value, now)

    def _settled(self, line: Any, now: datetime) -> Event:
        for name, found in self._constants:
            setattr(line, name, found)
        for name, paths in self._from_line:
            found = _found(line, paths)
            if found is None and name in _REQUIRED:
                raise NotTaken
            setattr(line, name, found)
        if self._own_time and type(line.timestamp) is not datetime:
            line.timestamp = self._time(line.timestamp, now)
        if self._cents:
            decimals = self._mapping.decimals_of(line.currency)
            line.price = whole_units(bytes(line.price), decimals)
            line.revenue = whole_units(bytes(line.revenue or b"null"), decimals)
            if line.list_price is not None:
                line.list_price = whole_units(bytes(line.list_price), decimals)
        if self._settle_attributes is not None:
            self._settle_attributes(line, b"")
        return settle_line(line, b"", now, self._strict, self._currency)


def _as_decoded(constant: object, type_: Any) -> Any:
    """A constant, as if it stood in the record. Raises msgspec.ValidationError."""
    return msgspec.json.decode(msgspec.json.encode(constant), type=type_)


def _found(struct: Any, paths: Sequence[Path]) -> Any:
    """The first value that is there."""
    for path in paths:
        value = _at(struct, path)
        if value is not None and not (type(value) is Raw and bytes(value) == b"null"):
            return value
    return None


def _at(value: Any, path: Path) -> Any:
    for name in path:
        if value is None:
            return None
        value = getattr(value, name)
    return value


def _in_envelope(envelope: str, inside: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The shape of a record whose event is in an envelope, and what takes it out of there."""
    if envelope == "none":
        return inside, lambda record: record
    if envelope == "connect":
        return msgspec.defstruct("_Connect", [("payload", inside)], gc=False), attrgetter("payload")
    change = msgspec.defstruct("_Change", [("after", inside)], gc=False)
    fields = [("payload", change | UnsetType, UNSET), ("after", inside | None, None)]
    return msgspec.defstruct(
        "_Debezium", fields, gc=False
    ), lambda record: record.after if record.payload is UNSET else record.payload.after
