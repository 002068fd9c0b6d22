"""What to change at the producer, where a record looks like something that is often sent instead of an event."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

# Names that people give a field, apart from case and punctuation (`orderId`, `Order-ID` are told anyway).
OTHER_NAMES: Final[dict[str, tuple[str, ...]]] = {  # the surer a name, the earlier it stands
    "order_id": (
        "orderno", "ordernumber", "orderuuid", "ordernr", "orderref", "orderreference", "order", "transactionid", "purchaseid",
        "checkoutid", "receiptid", "receiptno", "receiptnumber", "receipt", "invoiceid", "invoiceno", "invoicenumber",
        "bestellnummer", "bestellnr", "bestellid", "auftragsnummer", "belegnummer", "bonnummer", "id",
    ),
    "user_id": (
        "customerid", "customeruuid", "customerno", "customernumber", "clientid", "buyerid", "shopperid", "memberid", "accountid",
        "userpseudoid", "uid", "customer", "user", "client", "buyer", "kundennummer", "kundennr", "kundenid", "kunde",
    ),
    "product_id": (
        "productsku", "productcode", "sku", "itemid", "itemsku", "itemcode", "articleid", "articleno", "articlenumber",
        "variantid", "ean", "gtin", "barcode", "artikelnummer", "artikelnr", "artikelid", "product",
    ),
    "product_title": (
        "productname", "title", "itemname", "articlename", "name", "product", "item", "article", "description",
        "artikelname", "artikelbezeichnung", "bezeichnung", "produktname", "artikel", "produkt",
    ),
    "category": (
        "productcategory", "categoryname", "itemcategory", "producttype", "productgroup", "department", "kategorie",
        "warengruppe",
    ),
    "price": (
        "unitprice", "itemprice", "priceeach", "unitamount", "unitpricecents", "pricecents", "priceincents", "amount",
        "einzelpreis", "preis",
    ),
    "list_price": (
        "regularprice", "compareatprice", "originalprice", "rrp", "msrp", "fullprice", "wasprice", "pricebeforediscount",
        "listpricecents", "regularpricecents", "compareatpricecents", "originalpricecents", "listenpreis", "uvp",
        "originalpreis",
    ),
    "quantity": ("qty", "count", "units", "pieces", "menge", "anzahl", "stck"),
    "revenue": (
        "linetotal", "itemrevenue", "linerevenue", "lineamount", "total", "subtotal", "totalprice", "totalamount", "amounttotal",
        "sales", "gesamtpreis", "gesamt", "summe", "betrag", "umsatz",
    ),
    "timestamp": (
        "eventtime", "eventtimestamp", "timestampmicros", "createdat", "datecreatedgmt", "datecreated", "created", "orderedat",
        "placedat", "purchasedat", "soldat", "paidat", "processedat", "occurredat", "orderdate", "ordertime", "orderdatetime",
        "transactiondate", "transactiontime", "datetime", "time", "ts", "date", "bestelldatum", "zeitpunkt", "datum",
    ),
}  # fmt: skip
CONNECT: Final = (
    'it looks like Kafka Connect\'s envelope: set [events] envelope = "connect", or value.converter.schemas.enable=false there'
)
DEBEZIUM: Final = (
    'it looks like Debezium\'s envelope: set [events] envelope = "debezium", or add the transform ExtractNewRecordState there'
)
MAX_NAME_CHARS: Final = 40  # of somebody's field, in a message
MIN_KNOWN: Final = 2  # so many names of the contract make an object look like an event

_BYTES: Final = (
    (b"\xef\xbb\xbf", "it looks like JSON behind a byte order mark: encode as utf-8, not utf-8-sig"),
    (b"\xff\xfe", "it looks like UTF-16"),
    (b"\xfe\xff", "it looks like UTF-16"),
    (b"{\0", "it looks like UTF-16"),
    (b"\0{", "it looks like UTF-16"),
    (b"\x1f\x8b", "it looks like gzip: let the producer compress (compression.type), not your program"),
    (b"\x28\xb5\x2f\xfd", "it looks like Zstandard: let the producer compress (compression.type), not your program"),
    (b"Obj\x01", "it looks like an Avro file"),
    (b"\0", "it looks like a schema registry's format (a zero byte and a schema id in front): send plain JSON"),
    (b"{'", "it looks like a printed Python dictionary: use json.dumps"),
    (b"<", "it looks like XML or HTML"),
    (b"eyJ", "it looks like JSON in base64"),
)
_SIGNS: Final = {
    "$": "USD", "US$": "USD", "DOLLAR": "USD", "DOLLARS": "USD", "\N{EURO SIGN}": "EUR", "EURO": "EUR", "EUROS": "EUR",
    "\N{POUND SIGN}": "GBP", "STG": "GBP", "UKP": "GBP", "\N{YEN SIGN}": "JPY or CNY", "YEN": "JPY", "RMB": "CNY", "CNH": "CNY",
    "FR.": "CHF", "SFR": "CHF", "NTD": "TWD", "NIS": "ILS",
    "840": "USD", "978": "EUR", "826": "GBP", "392": "JPY", "756": "CHF", "156": "CNY",
}  # fmt: skip
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_COMMA: Final = re.compile(r"-?[0-9.]+,[0-9]+")
_ADORNED: Final = re.compile(r"\D{0,5}[0-9][0-9.,' ]*\D{0,5}")  # with a sign, a currency, or its thousands set apart
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def of_bytes(value: bytes) -> str:
    """What bytes that are no JSON look like."""
    for start, words in _BYTES:
        if value.startswith(start):
            return f"; {words}"
    line = value.partition(b"\n")[0]
    if line[:1] not in b"{[" and line.count(b",") >= MIN_KNOWN:
        return "; it looks like a line of CSV: a file of them, with its header, goes by `ecom_lite produce --format csv FILE`"
    if re.search(rb":\s*-?(NaN|Infinity)\b", line):
        return "; JSON has no NaN and no Infinity"
    return ""


def of_value(document: object) -> str:
    """What JSON that is no object looks like."""
    if isinstance(document, list):
        return "; send each event as a record of its own"
    if isinstance(document, str) and document.lstrip()[:1] == "{":
        return "; it looks like an event encoded twice: as JSON, then as a JSON text"
    return ""


def of_missing(name: str, document: dict[str, Any], known: Iterable[str]) -> str:
    """Where else what a field should hold may be: in an envelope, or under another name."""
    inside = document.get("payload") if "schema" in document else document
    if isinstance(inside, dict) and "op" in inside and ("after" in inside or "before" in inside):
        return f"; {DEBEZIUM}"
    if "schema" in document and "payload" in document:
        return f"; {CONNECT}"
    known = set(known)
    for key, inner in document.items():
        if isinstance(inner, dict) and len(known & {_snake(one) for one in inner}) >= MIN_KNOWN:
            found = next((one for one in inner if _snake(one) == name), name)
            return f"; the event seems to be in {_named(key)}: send that object itself, or map {_mapped(name, f'{key}.{found}')}"
    unknown = {plain(key): key for key in document if key not in known}
    for other in (plain(name), *OTHER_NAMES.get(name, ())):
        if other in unknown:
            return (
                f"; found {_named(unknown[other])}: map it by {_mapped(name, unknown[other])}{_likewise(name, document, known)}"
            )
    return ""


def _likewise(name: str, document: dict[str, Any], known: Iterable[str]) -> str:
    """The other fields that are only spelt otherwise, also those of which no event dies: a mapping is written once."""
    by_plain = {plain(one): one for one in known if one != name and one not in document}
    others = [f'{by_plain[plain(key)]} = "{key[:MAX_NAME_CHARS]}"' for key in document if plain(key) in by_plain]
    return f"; likewise {', '.join(others)}" if others else ""


def of_currency(text: str) -> str:
    """Which code a sign or a common wrong name means."""
    code = _SIGNS.get(text.strip().upper())
    return f"; write {code}" if code else "; write its three letters, such as USD, EUR or JPY"


def of_type(name: str, found: object) -> str:
    """How a field of another JSON type is written instead."""
    if name == "timestamp":
        if isinstance(found, list):
            return "; Jackson writes dates as arrays: disable WRITE_DATES_AS_TIMESTAMPS"
        return "; send ISO 8601, epoch seconds or milliseconds"
    if isinstance(found, float) and found.is_integer() and abs(found) < 2**63:
        return f"; write {found:.0f}, not {found}"
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        return "; write the number without quotes"
    if isinstance(found, str) and _COMMA.fullmatch(found):
        return "; write the decimals behind a point"
    if isinstance(found, str) and name in ("price", "list_price", "revenue") and _BASE64.fullmatch(found):
        return "; it looks like a decimal in base64: set json.decimal.format=NUMERIC (Debezium: decimal.handling.mode=double)"
    if isinstance(found, str) and name in ("price", "list_price", "revenue") and _ADORNED.fullmatch(found):
        return "; write digits and a point, nothing else: the currency is a field of its own"
    return ""


def of_range(name: str, found: object) -> str:
    """Where else a value has room."""
    if name.endswith("_id") and isinstance(found, int | float) and found >= 2**63:
        return "; an id of more digits goes as a text, in quotes"
    return ""


def _named(key: str) -> str:
    return f"`{key[:MAX_NAME_CHARS]}`"


def _mapped(name: str, path: str) -> str:
    return f'[events.fields]: {name} = "{path[:MAX_NAME_CHARS]}"'


def plain(name: str) -> str:
    """A name apart from case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]", "_", name).lower()
