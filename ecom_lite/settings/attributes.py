"""What an attribute may be called and which types there are: [events.attributes], the extra fields that become columns."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, ValidationInfo

from .values import EventField

AttributeType = Literal["text", "dimension", "integer", "number", "boolean"]
_TYPES: Final = get_args(AttributeType)
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_FIELDS: Final = frozenset(get_args(EventField))
# Columns of the facts and of the views over them, the dimensions' names, and PostgreSQL's own columns.
_TAKEN: Final = frozenset({
    "ordered_at", "order_date", "unit_price", "exact_price", "currency", "original_price", "original_revenue",
    "original_list_price",
    "source_partition", "source_offset", "source_topic", "source", "load_xid", "load_xid_below", "loaded_at", "user", "product",
    "date", "attribute", "value", "lines", "orders", "units", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid",
})  # fmt: skip


def attribute_name(value: Any) -> str:
    """Raises ValueError."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("an attribute's name is made of a-z, 0-9 and _, begins with no digit and has at most 41 characters")
    if value in _FIELDS:
        raise ValueError(f"{value} is a field of the contract already: give the attribute another name, such as shop_{value}")
    if value in _TAKEN or value.endswith("_key"):
        raise ValueError(
            f"{value} is, or may be, a column of the warehouse: give the attribute another name, such as shop_{value[:30]}"
        )
    return value


def attribute_type(value: Any) -> Any:
    if value not in _TYPES:
        raise ValueError(f"an attribute is {', '.join(_TYPES[:-1])} or {_TYPES[-1]}")
    return value


def mapped_name(value: str, info: ValidationInfo) -> str:
    """The name of a field in [events.fields] and [events.constants]: the contract's, or a declared attribute's."""
    declared = info.data.get("attributes")
    if declared is not None and value not in _FIELDS and value not in declared:
        raise ValueError(
            f'there is no such field, and no attribute is declared so ([events.attributes] {value} = "text"); the fields are '
            f"{', '.join(get_args(EventField))}"
        )
    return value


AttributeName = Annotated[str, BeforeValidator(attribute_name)]
TypeOfAttribute = Annotated[AttributeType, BeforeValidator(attribute_type)]
MappedName = Annotated[str, BeforeValidator(mapped_name)]
