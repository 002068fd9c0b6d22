"""[events]: how records that are not of our own shop are read, of the main topic and of further sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from .attributes import AttributeName, MappedName, TypeOfAttribute
from .section import Section, Topic
from .values import EventPath, EventPaths, SourceName, Zone


class Events(Section):
    """How records that are not of our own shop are read: where in them the fields of an event stand, and in which units."""

    strict: bool = Field(False, description="refuse what only means a number, and what leaves out what can be worked out")
    attributes: dict[AttributeName, TypeOfAttribute] = Field(
        {}, description='extra fields that become columns: channel = "text", store = "dimension"; also integer, number, boolean'
    )
    fields: dict[MappedName, EventPaths] = Field(
        {},
        description='where a field stands: order_id = "orderId", price = "item.unit_price", user_id = ["customer.id", "email"]',
    )
    constants: dict[MappedName, str | bool | int | float] = Field({}, description='the same for all events: category = "Books"')
    unit: Literal["units", "cents"] = Field(
        "units", description="of prices and revenue; cents: the smallest unit of the currency"
    )
    time_unit: Literal["auto", "s", "ms", "us", "ns"] = Field(
        "auto", description="of times that are numbers; auto: s or ms by size"
    )
    time_zone: Zone = Field("UTC", description="of times that name none, such as Europe/Berlin")
    lines: EventPath | None = Field(
        None,
        description='the list of lines, where a record is a whole order: "items[]"; paths such as "items[].sku" lead into it',
    )
    envelope: Literal["none", "connect", "debezium"] = Field("none", description="take the event out of payload, or of after")
    order_prefix: str = Field(
        "",
        max_length=32,
        pattern=r"^[^\x00-\x1f]*$",
        description="put before each order_id: two sources may both have an order 1001",
    )

    @property
    def contract(self) -> bool:
        """Whether records are judged by the contract alone, as Spark judges them too."""
        return not (self.mapped or self.strict)

    @property
    def mapped(self) -> bool:
        """Whether a record must be turned into an event first."""
        how = Events.model_fields.items()
        return any(getattr(self, name) != field.get_default() for name, field in how if name != "strict")

    @model_validator(mode="after")
    def _agree(self) -> Events:
        if twice := sorted(self.fields.keys() & self.constants.keys()):
            raise ValueError(f"{twice[0]} stands in events.fields and in events.constants: keep one of them")
        lists = {path.partition("[]")[0] for paths in self.fields.values() for path in paths if "[]" in path}
        if lists - {(self.lines or "").removesuffix("[]")}:
            raise ValueError(f'"{min(lists)}[].." leads into a list: set events.lines = "{min(lists)}[]", and no other list')
        return self


class Source(Events):
    """A further source, `[events.NAME]`: a topic of its own, whose records are read in a way of their own."""

    topic: Topic = Field(description="its topic")


class AllEvents(Events):
    """`[events]`: how the records of kafka.topic are read; and in a table `[events.NAME]` each, the further sources."""

    sources: dict[SourceName, Source] = Field(
        {}, description="further sources: [events.web] with topic and all that [events] has"
    )

    @model_validator(mode="before")
    @classmethod
    def _tables(cls, given: Any) -> Any:
        """Each table that is none of our own is a source. All sources have the same attributes: they are columns of one table."""
        if not isinstance(given, Mapping):
            return given
        tables = {name: one for name, one in given.items() if isinstance(one, Mapping) and name not in cls.model_fields}
        if not tables:
            return given
        attributes = given.get("attributes", {})
        for name, one in tables.items():
            if one.get("attributes", attributes) != attributes:
                raise ValueError(f"[events.{name}.attributes]: declare them in [events.attributes], for all sources")
            tables[name] = {**one, "attributes": attributes}
        return {**{name: one for name, one in given.items() if name not in tables}, "sources": tables}
