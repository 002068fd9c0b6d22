"""Hand-made records and what must become of each: bytes, JSON shapes, numbers, Unicode, dates, types, headers, keys.

One corpus for all who judge the topic: the loader, Spark, and the harness's own SQL (see `differences.py`).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from .corpus_base import BASE, FACT, NOW, OTHER, Case, Headers, json_object, nested, order, reversal, user, without
from .corpus_times import times

FIRST_ID: Final = 1_000_000


def _bytes() -> Iterator[Case]:
    yield Case("a tombstone", None, "empty", "no value", key=b"7")
    yield Case("neither key nor value", None, "empty")
    yield Case("zero bytes", b"", "empty", "zero bytes")
    yield Case("one NUL byte", b"\0", "not_json")
    yield Case("NUL bytes", b"\0" * 100, "not_json")
    yield Case("a NUL byte in a text", order(order_id='"a\0b"'), "not_json")
    yield Case("a NUL byte after the object", order() + b"\0", "not_json")
    yield Case("blank", b" \r\n\t", "not_json")
    yield Case("a byte order mark", b"\xef\xbb\xbf" + order(), "not_json", "byte order mark")
    yield Case("UTF-16 with a mark", order().decode().encode("utf-16"), "not_utf8", "UTF-16")
    yield Case("UTF-16 without", order().decode().encode("utf-16-le"), "not_json", "UTF-16")
    yield Case("UTF-32", order().decode().encode("utf-32-be"), "not_json")
    yield Case("Latin-1", order(product_title='"caf\udce9"'), "not_utf8", "byte ")
    yield Case("Latin-1 in a field that is ignored", order(note='"caf\udce9"'), "not_utf8")
    yield Case("Latin-1 as a field's name", order().replace(b"{", b'{"caf\xe9":1,'), "not_utf8")
    yield Case("a character cut in two", order(product_title='"caf\udcc3"'), "not_utf8")
    yield Case("a value cut in a character", order(product_title='"é"').partition(b"\xa9")[0], "not_utf8", "unexpected end")
    yield Case("overlong NUL", order(product_title='"a\udcc0\udc80"'), "not_utf8")
    yield Case("overlong slash", order(product_title='"a\udcc0\udcaf"'), "not_utf8")
    yield Case("a surrogate as bytes", order(product_title='"\udced\udca0\udc80"'), "not_utf8")
    yield Case("beyond U+10FFFF", order(product_title='"\udcf4\udc90\udc80\udc80"'), "not_utf8")
    yield Case("gzip", gzip.compress(order(), mtime=0), "not_utf8", "gzip")
    yield Case("Confluent's wire format around JSON", b"\0\0\0\0\x05" + order(), "not_json", "schema registry")
    yield Case("Avro", b"\0\0\0\0\x05\x06o-1\x0e\x54\x06Mug\xae\xc7", "not_utf8", "schema registry")
    yield Case("an Avro file", b"Obj\x01\x04\x14avro.codec\x08null", "not_json", "Avro")
    yield Case("more bytes than an event may have", order(note='"' + "x" * 1_000_000 + '"'), "too_large", "1,000,")
    yield Case("as many bytes as an event may have", _of_size(1_000_000), FACT)
    yield Case("10 MB of text", b'"' + b"x" * 10_000_000 + b'"', "too_large")
    yield Case("a title of 10 MB", order(product_title='"' + "x" * 10_000_000 + '"'), "too_large")
    yield Case("an XML document", b"<order><id>1</id></order>", "not_json")
    yield Case("a line of CSV", b"o-1,7,42,Mug,Kitchen,19.99,3,59.97", "not_json")
    yield Case("a terminal's escape sequences", b"\x1b]0;owned\x07\x1b[2J", "not_json")


def _of_size(size: int) -> bytes:
    value = order(note='""')
    return value.replace(b'""', b'"' + b"x" * (size - len(value.replace(b"@ID@", b"1000000"))) + b'"')


def _shapes() -> Iterator[Case]:
    for text in ("[]", "12", "-0.5", '"text"', "null", "true", "false", nested(50)):
        yield Case(f"the JSON value {text[:8]}", text.encode(), "not_an_object")
    yield Case("an event in a list", b"[" + order() + b"]", "not_an_object")
    yield Case("an event as a text", json.dumps(order().decode()).encode(), "not_an_object")
    yield Case("two documents", order() + order(), "not_json")
    yield Case("two documents and a comma", order() + b"," + order(), "not_json")
    yield Case("a text that closes a list around the document", order() + b"] [1", "not_json")
    yield Case("a comment of one line", b"// x\n" + order(), "not_json")
    yield Case("two lines", order() + b"\n" + order(), "not_json")
    yield Case("a comma at the end", order()[:-1] + b",}", "not_json")
    yield Case("cut short", order()[:-1], "not_json")
    yield Case("cut in a text", order()[:14], "not_json")
    yield Case("a comment", b"/* order */" + order(), "not_json")
    yield Case("single quotes", order().replace(b'"', b"'"), "not_json")
    yield Case("names without quotes", order().replace(b'"order_id"', b"order_id"), "not_json")
    yield Case("Python's dict", str(json.loads(order(product_id="5"))).encode(), "not_json")
    yield Case("white space around", b"\r\n\t " + order() + b" \n", FACT)
    yield Case("an empty object", b"{}", "missing_field")
    yield Case("an empty name", order(**{"": "1"}), FACT)
    yield Case("unknown fields", order(x="1e999", y='{"z":[null,{"a":""}]}', price_old='"9"'), FACT)
    yield Case("an unknown field with a long integer", order(x="12345678901234567890123"), FACT)
    yield Case("1,000 unknown fields", order(**{f"x{number}": "1" for number in range(1000)}), FACT)
    yield Case("a huge object", json_object(BASE | {f"field {n}": f'"{n}"' for n in range(40_000)}), FACT)
    yield Case("nested 100 levels deep", order(x=nested(100)), FACT)
    yield Case("nested 10,000 levels deep", order(x=nested(10_000)), "not_json", "nested too deep")
    yield Case("nested 100,000 levels deep", order(x=nested(100_000)), "not_json")
    yield Case("100,000 lists that are not closed", b"[" * 100_000, "not_json")
    yield Case("100,000 objects that are not closed", b'{"a":' * 100_000, "not_json")
    yield Case("a key twice, the same", order()[:-1] + b',"price":19.99}', FACT)
    yield Case(
        "a key twice: the last one counts", order(quantity="1", revenue="19.99")[:-1] + b',"quantity":3,"revenue":59.97}', FACT
    )
    yield Case("a key twice, the last one wrong", order()[:-1] + b',"quantity":0}', "out_of_range")
    yield Case("a key twice, the first one of a wrong type", order(quantity='"x"')[:-1] + b',"quantity":3}', FACT)
    yield Case("a key twice, the first one a list", order(price="[1]")[:-1] + b',"price":19.99}', FACT)
    first = b'{"quantity":"x","event_type":5,"event_type":"order","user_id":{},'
    yield Case("keys twice, the first of wrong types", first + order()[1:], FACT)
    first = b'{"quantity":10001,"user_id":0,"order_id":"","timestamp":[],'
    yield Case("keys twice, the first out of range", first + order()[1:], FACT)
    yield Case("a key twice, the first one beyond all floats", b'{"timestamp":1e99999999999999999999,' + order()[1:], FACT)
    yield Case("a key twice, the last one beyond all floats", order()[:-1] + b',"quantity":1e9999}', "not_json")
    yield Case("a key twice, the last one of a wrong type", order()[:-1] + b',"quantity":"x"}', "wrong_type")
    yield Case("all keys twice, the first ones null", _twice("null"), FACT)
    yield Case("all keys twice, the first ones lists", _twice('[{"a":[1]}]'), FACT)
    yield Case("a key twice, the first with an escape", b'{"\\u0070rice":"x",' + order()[1:], FACT)
    yield Case("another case of the name", order().replace(b'"price"', b'"Price"'), "missing_field", "price")
    yield Case("escapes in a name", order().replace(b'"order_id"', b'"order\\u005fid"'), FACT)
    yield Case("an envelope around it", b'{"payload":' + order() + b"}", "missing_field")
    yield Case("NUL in the name of an unknown field", order(**{"\\u0000": "1"}), FACT)
    for name in BASE:
        yield Case(
            f"without {name}",
            without(name),
            *((FACT, "") if name in ("product_title", "category", "revenue") else ("missing_field", name)),
        )


def _twice(first: str) -> bytes:
    return json_object(dict.fromkeys(BASE, first))[:-1] + b"," + order()[1:]


def _currencies() -> Iterator[Case]:
    for text in ("null", '""', '"USD"', '"usd"', '"Eur"', r'"\u0045UR"', '"CHW"'):
        yield Case(f"currency {text}", order(currency=text), FACT)
    for text in (
        '"EURO"',
        '"XXX"',
        '"US"',
        '"USD "',
        '"$"',
        '"\u20ac"',
        '"978"',
        '"\u0455gd"',
        '"\u212a\u0174D"',
        '"USD\\n"',
        '"USDUSD"',
    ):
        yield Case(f"currency {text}", order(currency=text), "unknown_currency", "write")
    yield Case("a currency with a NUL character", order(currency=r'"US\u0000"'), "nul_byte", "currency")
    for text in ("978", "true", "[]", '{"code":"EUR"}'):
        yield Case(f"currency {text}", order(currency=text), "wrong_type", "currency")
    for code, price, revenue in (
        ("JPY", "1990", "5970"),
        ("JPY", "1990.0", "5970.000"),
        ("KWD", "19.995", "59.985"),
        ("KWD", "19.9950", "59.985"),
        ("KWD", "0.001", "0.003"),
        ("CLF", "0.0001", "0.0003"),
        ("CLF", "12345678.1234", "37037034.3702"),
        ("KWD", "99999999.994", "299999999.982"),
        ("BHD", '"1.005"', '"3.015"'),
        ("TND", "1e-3", "3e-3"),
        ("VND", "99999999", "null"),
        ("OMR", "1.1", repr(1.1 * 3)),
        ("ISK", "0", "0"),
    ):
        yield Case(f"{price} {code}", order(currency=f'"{code}"', price=price, revenue=revenue), FACT)
    for code, price, revenue in (
        ("JPY", "10.5", "31.5"),
        ("KWD", "1.0005", "3.0015"),
        ("CLF", "0.00001", "0.00003"),
        ("EUR", "1.005", "3.015"),
        ("JPY", "0.01", "null"),
    ):
        yield Case(
            f"{price} {code}", order(currency=f'"{code}"', price=price, revenue=revenue), "out_of_range", f"than {code} has ("
        )
    yield Case(
        "a price in KWD that is too high to the cent",
        order(currency='"KWD"', price="99999999.995", revenue="null"),
        "out_of_range",
    )
    for code, price, revenue in (
        ("JPY", "10", "30.4"),
        ("JPY", "10", "30.005"),
        ("KWD", "1.001", "3.0035"),
        ("CLF", "0.0001", "0.00035"),
        ("EUR", "1", "3.005"),
    ):
        yield Case(
            f"{price} {code} x 3 = {revenue}", order(currency=f'"{code}"', price=price, revenue=revenue), "revenue_mismatch"
        )
    for code, price, revenue in (("JPY", "10", "30.004"), ("KWD", "1.001", "3.00349"), ("CLF", "0.0001", "0.000349")):
        yield Case(f"{price} {code} x 3 = {revenue}", order(currency=f'"{code}"', price=price, revenue=revenue), FACT)
    yield Case("a currency of 10,000 letters", order(currency='"' + "E" * 10_000 + '"'), "unknown_currency")
    yield Case("a cancellation with a currency", reversal(currency='"EURO"'), OTHER)


def _list_prices() -> Iterator[Case]:
    for text in ("24.99", "19.99", "0", "-0", "5", '"24.99"', "1e2", "null", '""', "99999999.99", "24.9900000000000000000000000"):
        yield Case(f"list_price {text}", order(list_price=text), FACT)
    for text in ("true", "[24.99]", '{"amount":24.99}', '"24,99"', '" 24.99"', '"-1"', '"1e2"', '".5"'):
        yield Case(f"list_price {text}", order(list_price=text), "wrong_type", "list_price")
    for text in ("-0.01", "100000000", "1e300", "1e-999", "1e99999999999999999999", "9" * 30, "9" * 5000):
        yield Case(f"list_price {text[:40]}", order(list_price=text), "out_of_range", "list_price")
    for text in ("24.995", '"24.995"', "24.9900000000000000001"):
        yield Case(f"list_price {text}", order(list_price=text), "out_of_range", "list_price")
    for code, price, fate in (
        ("JPY", "24.5", "out_of_range"),
        ("JPY", "25.0", FACT),
        ("KWD", "24.995", FACT),
        ("KWD", "24.9995", "out_of_range"),
        ("KWD", "99999999.995", "out_of_range"),
        ("CLF", "0.0001", FACT),
    ):
        fields = {"currency": f'"{code}"', "price": "10", "revenue": "30", "list_price": price}
        yield Case(f"list_price {price} {code}", order(**fields), fate, "" if fate == FACT else "list_price")
    yield Case("list_price NaN", order(list_price="NaN"), "not_json")
    yield Case("a cancellation with a list_price", reversal(list_price='"x"'), OTHER)


def _numbers() -> Iterator[Case]:
    for text in ("NaN", "Infinity", "-Infinity", "nan", "+1", "01", "1.", ".5", "0x10", "1_000", "1e", "--1"):
        yield Case(f"price {text}", order(price=text), "not_json")
    yield Case("price 1e999", order(price="1e999"), "out_of_range")
    yield Case("revenue 1e999", order(revenue="1e999"), "revenue_mismatch")
    yield Case("price 1e99999999999999999999", order(price="1e99999999999999999999"), "out_of_range")
    yield Case("price 1e-999", order(price="1e-999"), "out_of_range")
    yield Case("price of 5,000 digits", order(price="9" * 5000), "out_of_range")
    yield Case("price of 30 digits", order(price="9" * 30), "out_of_range")
    yield Case("price with 30 decimals", order(price="0." + "3" * 30), "out_of_range", "more decimals than USD has (2)")
    yield Case("price with one more digit", order(price="19.990000000000001"), "out_of_range", "more decimals than USD has (2)")
    yield Case(
        "price with a digit behind the 18th decimal",
        order(price="19.9900000000000000001"),
        "out_of_range",
        "more decimals than USD has (2)",
    )
    yield Case("price 1999e-2", order(price="1999e-2"), FACT)
    yield Case("price 1e300", order(price="1e300"), "out_of_range")
    yield Case("price with 30 zeros", order(price="19.99" + "0" * 28), FACT)
    yield Case("price -0", order(price="-0", revenue="0"), FACT)
    yield Case("price -0.0", order(price="-0.0", revenue="-0.0"), FACT)
    yield Case("price 0e100", order(price="0e100", revenue="0e100"), FACT)
    yield Case("price 1e2", order(price="1e2", revenue="3.0E+2"), FACT)
    yield Case("price 2 and revenue 6.00", order(price="2", revenue="6.00"), FACT)
    yield Case("price 2.00 and revenue 6", order(price="2.00", revenue="6"), FACT)
    yield Case("price 0.30000000000000004", order(price=repr(0.1 + 0.2), revenue="0.90"), "out_of_range")
    yield Case("revenue as floats multiply", order(price="24.1", revenue=repr(24.1 * 3)), FACT)
    yield Case("revenue a cent off", order(revenue="59.98"), "revenue_mismatch", "59.97")
    yield Case("revenue half a cent off", order(revenue="59.975"), "revenue_mismatch")
    yield Case("revenue less than half a cent off", order(revenue="59.9749"), FACT)
    yield Case("revenue with the other sign", order(revenue="-59.97"), "revenue_mismatch")
    yield Case("price -0.01", order(price="-0.01", revenue="-0.03"), "out_of_range")
    yield Case("the highest price", order(price="99999999.99", quantity="10000", revenue="999999999900.00"), FACT)
    yield Case("a price too high", order(price="100000000.00", revenue="300000000.00"), "out_of_range")
    for text in (
        "null",
        "true",
        "[19.99]",
        '{"amount":19.99}',
        '"EUR 19.99"',
        '"19,99"',
        '"-1.00"',
        '"1e2"',
        '" 1"',
        '""',
        '".5"',
    ):
        yield Case(f"price {text}", order(price=text), "wrong_type", "price")
    yield Case("money as texts", order(price='"19.99"', revenue='"59.97"'), FACT)
    yield Case("money as texts with zeros", order(price='"019.9900"', revenue='"59.970"'), FACT)
    yield Case("money as an escaped text", order(price=r'"19\u002e99"'), FACT)
    yield Case("a price of three decimals as a text", order(price='"19.995"'), "out_of_range", "more decimals than USD has (2)")
    yield Case("a price of 100 digits as a text", order(price='"' + "1" * 100 + '"'), "wrong_type", "price")
    yield Case("a revenue as a text, a cent off", order(revenue='"59.98"'), "revenue_mismatch", "59.97")
    yield Case("revenue null", order(revenue="null"), FACT)
    yield from _currencies()
    yield from _list_prices()
    yield Case("price true without a revenue", order(price="true", revenue="null"), "wrong_type", "price")
    yield Case("revenue true", order(revenue="true"), "wrong_type", "revenue")
    for text in ('"3"', '"03"', '"3.0"', "3.0", "3.000", "3e0", "0.3e1", "30e-1"):
        yield Case(f"quantity {text}", order(quantity=text), FACT)
    for text in ('"3.5"', '"three"', '"-1"', '"3 "', '""', "1.5", "1e-1", "3.00000000000000001", "true", "null", "[]", '"3."'):
        yield Case(f"quantity {text}", order(quantity=text), "wrong_type", "quantity")
    for text in ("0", "-0", "-1", "10001", "9" * 30, "-0.0", "0.0", "-3.0", "10001.0", '"0"', '"10001"', "3e9"):
        yield Case(f"quantity {text}", order(quantity=text), "out_of_range", "quantity")
    yield Case("quantity 10000", order(quantity="10000", revenue="199900"), FACT)
    yield Case("user_id 2^63 - 1", order(user_id=str(2**63 - 1)), FACT)
    yield Case("user_id 2^63 - 1 as digits", order(user_id=f'"{2**63 - 1}"'), FACT)
    yield Case("user_id with leading zeros", order(user_id='"007"'), FACT)
    for text in ("0", "-1", str(2**63), "9" * 400, '"0"', '"000"', '""'):
        yield Case(f"user_id {text[:24]}", order(user_id=text), "out_of_range", "user_id")
    for text in ("7.0", "7e0", "9007199254740993.0"):
        yield Case(f"user_id {text}", order(user_id=text), FACT)
    for text in ("7.5", "true", "null", "[7]", "{}"):
        yield Case(f"user_id {text}", order(user_id=text), "wrong_type", "user_id")
    yield Case("user_id -7.0", order(user_id="-7.0"), "out_of_range", "user_id")
    yield Case("user_id 1e300", order(user_id="1e300"), "out_of_range", "user_id")
    yield Case("product_id @ID@.0", order(product_id="@ID@.0"), FACT)
    yield Case("product_id with leading zeros", order(product_id='"000@ID@"'), FACT)
    yield Case("product_id null", order(product_id="null"), "wrong_type", "product_id")
    yield Case("a schema_version beyond 64 bits", order(schema_version="1" + "0" * 30), FACT)
    yield Case("digits as schema_version", order(schema_version='"1"'), "wrong_type")
    yield Case("a fraction as schema_version", order(schema_version="1.5"), "wrong_type")
    yield Case("a number as event_id", order(event_id="5"), "wrong_type")


def _texts() -> Iterator[Case]:
    yield Case("NUL in order_id", order(order_id=r'"a\u0000b"'), "nul_byte", "order_id")
    yield Case("NUL in product_title", order(product_title=r'"\u0000"'), "nul_byte", "product_title")
    yield Case("NUL in an e-mail address", user(email=r'"a\u0000"'), "nul_byte", "email")
    yield Case("NUL in a reason", reversal(reason=r'"\u0000"'), "nul_byte", "reason")
    yield Case("NUL in the event_id of a profile", user(event_id=r'"\u0000"'), "nul_byte", "event_id")
    yield Case("NUL in the event_id of a return", reversal(event_id=r'"\u0000"'), "nul_byte", "event_id")
    yield Case("NUL in the event_id of an order line, which is not stored", order(event_id=r'"\u0000"'), FACT)
    yield Case("a schema_version of 40 digits", user(schema_version="9" * 40), OTHER)
    yield Case("NUL in a field that is ignored", order(note=r'"\u0000"'), FACT)
    yield Case("the text \\u0000", order(product_title=r'"\\u0000"'), FACT)
    for text in (r"\ud800", r"\udc00", r"\ude00\ud83d", r"\uD83D x"):
        yield Case(f"half a pair {text}", order(product_title=f'"{text}"'), "not_json", "surrogate")
    yield Case("half a pair in a field that is ignored", order(note=r'"\ud800"'), "not_json")
    yield Case("the second half in a field that is ignored", order(x=r'"\uDC00 \uD83D\uDE00"'), "not_json")
    yield Case("halves the wrong way round", order(x=r'["\uDE00\uD83D"]'), "not_json")
    yield Case("half a pair behind an escaped backslash", order(x=r'"\\\ud800"'), "not_json")
    yield Case("an escaped backslash before the letters of a half", order(x=r'"\\ud800 \n\ud83d\ude00"'), FACT)
    yield Case("pairs in a field that is ignored", order(x=r'"\ud83d\ude00\uD83D\uDE00"'), FACT)
    yield Case("a pair", order(product_title=r'"\ud83d\ude00"'), FACT)
    yield Case("combining characters", order(product_title='"e\u0301\u0301\u0301 Zalgo\u0336"'), FACT)
    yield Case("right to left", order(product_title='"\u202eقهوة\u202c"', category='"עברית"'), FACT)
    yield Case("emoji", order(product_title='"👩‍👩‍👧‍👦 🏳️‍🌈"', category='"🍽"'), FACT)
    yield Case("no characters at all", order(product_title=r'"\uffff\ufdd0\ufffe\udbff\udfff"'), FACT)
    yield Case("a control character as it is", order(product_title='"a\x01b"'), "not_json")
    yield Case("control characters escaped", order(product_title=r'"\u001b[2J\u0007\u007f\u0085"'), FACT)
    yield Case("an unknown escape", order(product_title=r'"\q"'), "not_json")
    yield Case("quotes, tabs, backslashes for COPY", order(product_title=r'"\"\\N\\.\t\n\r,\b"', category=r'"\\."'), FACT)
    yield Case("SQL", order(product_title='"\'); DROP TABLE warehouse.fact_sales; --"'), FACT)
    for character in ("x", "é", "😀"):
        yield Case(f"200 times {character}", order(product_title=f'"{character * 200}"', category=f'"{character * 200}"'), FACT)
        yield Case(f"201 times {character}", order(product_title=f'"{character * 201}"'), "out_of_range", "product_title")
    yield Case("200 characters of 6 bytes", order(product_title='"' + r"\u00e9" * 200 + '"'), FACT)
    yield Case("category null", order(category="null"), FACT)
    yield Case("an empty category", order(category='""'), FACT)
    yield Case("a category of 201", order(category='"' + "x" * 201 + '"'), "out_of_range", "category")
    yield Case("a title of 900,000", order(product_title='"' + "x" * 900_000 + '"'), "out_of_range", "product_title")
    yield Case("an empty title", order(product_title='""'), FACT)
    yield Case("product_title null", order(product_title="null"), FACT)
    yield Case("no title for a product that is a text", without("product_title").replace(b"@ID@", b'"SKU-@ID@"'), FACT)
    yield Case("no title and no category", order(product_title="null", category='""'), FACT)
    yield Case("no title for a product that is none", order(product_title="null", product_id="0"), "out_of_range", "product_id")
    yield Case("the product's id as its title", order(product_title='"@ID@"'), FACT)
    yield Case("a title under another name", without("product_title")[:-1] + b',"productTitle":"Mug"}', FACT)
    yield Case("a blank title", order(product_title='" "'), FACT)
    for text in ("5", "[]", "true"):
        yield Case(f"product_title {text}", order(product_title=text), "wrong_type", "product_title")
    yield Case("an empty order_id", order(order_id='""'), "out_of_range", "order_id")
    yield Case("an order_id of 64", order(order_id='"' + "é" * 64 + '"'), FACT)
    yield Case("an order_id of 64 beyond the BMP", order(order_id='"' + "😀" * 64 + '"'), FACT)
    yield Case("an order_id of 65", order(order_id='"' + "é" * 65 + '"'), "out_of_range", "order_id")
    yield Case("a blank order_id", order(order_id='" "'), FACT)
    yield Case("an integer as order_id", order(order_id="12"), FACT)
    yield Case("order_id 0", order(order_id="0"), FACT)
    yield Case("order_id 2^63 - 1", order(order_id=str(2**63 - 1)), FACT)
    yield Case("order_id 2^63", order(order_id=str(2**63)), "out_of_range", "order_id")
    yield Case("order_id 12.0", order(order_id="12.0"), FACT)
    yield Case("order_id 1e20", order(order_id="1e20"), "out_of_range", "order_id")
    yield Case("order_id -1", order(order_id="-1"), "out_of_range", "order_id")
    for text in ("1.5", "null", "true", "{}"):
        yield Case(f"order_id {text}", order(order_id=text), "wrong_type", "order_id")


def _ids() -> Iterator[Case]:
    """Of customers and products: digits are a number, anything else is itself."""

    def line(field: str, text: str) -> bytes:
        return order(**{"order_id": '"o-@ID@"', field: text})

    for field in ("user_id", "product_id"):
        uuid = "018f3f6e-7c1a-7b1e-8000-0000@ID@1"  # 36 characters
        yield Case(f"a UUID as {field}", line(field, f'"{uuid}"'), FACT)
        yield Case(f"a UUID of capitals as {field}", line(field, f'"{{{uuid.upper()}}}"'), FACT)
        for text in (
            "-1", " 7", "7 ", r"7\n", r"\n7", "7.0", "7e0", "٧", "７", " ", "SKU @ID@/ü", r"\ud83d\ude00", "null", r"\"\\N\\.\t",
            "a\u2028b",
        ):  # fmt: skip
            yield Case(f'{field} "{text}"', line(field, f'"{text}"'), FACT)
        yield Case(f"a {field} of 20 digits", line(field, '"1234567890123@ID@"'), FACT)
        yield Case(f"{field} 2^63 as digits", line(field, f'"{2**63}"'), FACT)
        yield Case(f"{field} 2^63 as digits with zeros", line(field, f'"00{2**63}"'), FACT)
        yield Case(f"a {field} of 64 digits", line(field, f'"{"9" * 64}"'), FACT)
        yield Case(f"a {field} of 64 zeros", line(field, f'"{"0" * 64}"'), "out_of_range", field)
        yield Case(f"a {field} of 63 zeros and a 7", line(field, f'"{"0" * 63}7"'), FACT)
        yield Case(f"a {field} of 65 digits", line(field, f'"{"0" * 64}7"'), "out_of_range", field)
        for character in ("x", "é", "😀"):
            yield Case(f"a {field} of 64 times {character}", line(field, f'"{character * 64}"'), FACT)
            yield Case(f"a {field} of 65 times {character}", line(field, f'"{character * 65}"'), "out_of_range", field)
        yield Case(f"NUL in {field}", line(field, r'"a\u0000b"'), "nul_byte", field)
        yield Case(f"NUL behind the digits of {field}", line(field, r'"7\u0000"'), "nul_byte", field)
        yield Case(f"half a pair in {field}", line(field, r'"\ud800"'), "not_json", "surrogate")
    yield Case("order_returned of an SKU by a UUID", reversal(product_id='"SKU-@ID@"', user_id='"018f3f6e-7c1a"'), OTHER)
    yield Case("order_returned by NUL", reversal(user_id=r'"\u0000"'), "nul_byte", "user_id")
    yield Case("order_returned of 65 characters", reversal(product_id='"' + "x" * 65 + '"'), "out_of_range", "product_id")
    yield Case("user_updated of a UUID", user(user_id='"018f3f6e-7c1a-@ID@"'), OTHER)
    yield Case("user_updated of leading zeros", user(user_id='"000@ID@"'), OTHER)
    yield Case("user_updated with NUL", user(user_id=r'"\u0000"'), "nul_byte", "user_id")
    yield Case("user_updated with NUL in what is no field of it", user(order_id=r'"\u0000"', product_id=r'"\u0000"'), OTHER)


def _types() -> Iterator[Case]:
    yield Case("event_type null", order(event_type="null", event_id="null", schema_version="null"), FACT)
    yield Case("event_type order", order(event_type='"order"', event_id='"7-1"', schema_version="1"), FACT)
    for text in ('"alien"', '""', '"Order"', '"ORDER"', '" order"', '"order\\u0000"', "5", "[]", "{}", "true"):
        yield Case(f"event_type {text}", order(event_type=text), "unknown_type", "event_type")
    yield Case("event_type twice", order(event_type='"a\\u0000\\u001b[2J"')[:-1] + b',"event_type":"order"}', FACT)
    yield Case("order, then order_returned", reversal(event_type='"order"')[:-1] + b',"event_type":"order_returned"}', OTHER)
    yield Case("order_returned, then null", order(event_type='"order_returned"')[:-1] + b',"event_type":null}', FACT)
    yield Case("an order_returned that is an order line", order(event_type='"order_returned"'), OTHER)
    yield Case("order_returned", reversal(reason='"too small"', user_id="7"), OTHER)
    yield Case("order_cancelled", reversal(event_type='"order_cancelled"', order_id="12"), OTHER)
    yield Case("order_returned of 2.0", reversal(quantity="2.0", product_id='"@ID@"'), OTHER)
    yield Case("order_returned of nothing", reversal(quantity="0"), "out_of_range", "quantity")
    yield Case("order_returned without a product", reversal().replace(b"product_id", b"product"), "missing_field", "product_id")
    yield Case("order_returned with a long reason", reversal(reason='"' + "x" * 201 + '"'), "out_of_range", "reason")
    yield Case("order_returned with a number as reason", reversal(reason="5"), "wrong_type", "reason")
    yield Case("order_returned without a date", reversal(timestamp='"soon"'), "bad_timestamp")
    yield Case("Latin-1 in a field that order_returned ignores", reversal(note='"\udce9"'), "not_utf8")
    yield Case(
        "user_registered", user(event_type='"user_registered"', name='"Ada"', email='"ada@example.org"', city="null"), OTHER
    )
    yield Case("user_updated with empty texts", user(name='""', country='""'), OTHER)
    yield Case("user_updated with nothing new", user(), OTHER)
    yield Case("user_updated with a list as name", user(name='["Ada"]'), "wrong_type", "name")
    yield Case("user_updated with a long city", user(city='"' + "x" * 201 + '"'), "out_of_range", "city")
    yield Case("user_updated without a user", user().replace(b"user_id", b"user"), "missing_field", "user_id")
    yield Case("user_updated with half a pair", user(name=r'"\udc00"'), "not_json", "surrogate")


def _around() -> Iterator[Case]:
    """Headers and keys: of no importance to a good value, and kept with a bad one."""
    headers: dict[str, Headers] = {
        "many headers": tuple((f"h{number}", b"x" * number) for number in range(50)),
        "1,000 headers": tuple(("h", str(number).encode()) for number in range(1000)),
        "a header without a name": (("", b"x"), ("", b"")),
        "a header name in Latin-1": ((b"caf\xe9", b"x"), ("after", b"y")),
        "a header name that is no UTF-8 at all": ((b"\xff\xfe\x80", b"\xff"),),
        "a header of null": (("none", None), ("empty", b"")),
        "a header of 100 kB": (("h" * 1000, bytes(range(256)) * 400),),
        "a header name with quotes": (("\"\\'\u202e😀", b"x"),),
        "one header twice": (("h", b"1"), ("h", b"2")),
        "a forged link": (("ecom_lite.resent_from", b"\xff\0\x1b[2J"), ("ecom_lite.resent_from", b"no/such/5")),
    }
    for name, these in headers.items():
        yield Case(f"{name}, a good value", order(), FACT, headers=these)
        yield Case(f"{name}, a bad value", b"{", "not_json", headers=these)
        yield Case(f"{name}, no value", None, "empty", key=b"k", headers=these)
    keys = {
        "an empty key": b"",
        "a key of 500 kB": b"k" * 500_000,
        "a key that is not UTF-8": b"\xff\0\xfe",
        "another user's key": b"8",
    }
    for name, key in keys.items():
        yield Case(f"{name}, a good value", order(), FACT, key=key)
        yield Case(f"{name}, a bad value", b"[", "not_json", key=key)
    yield Case("a key of 1 MB, no value", None, "empty", key=b"k" * 1_000_000)
    yield Case("a key of 1 MB, a good value", order(), FACT, key=b"k" * 1_000_000)


def cases(now: datetime, margin: timedelta = timedelta(microseconds=1)) -> list[Case]:
    """All cases, for a judge whose clock is at `now`, or has gone on by less than `margin`."""
    latest = now + timedelta(days=1)
    late = latest + margin
    found = (*_bytes(), *_shapes(), *_numbers(), *_texts(), *_ids(), *times(latest, late), *_types(), *_around())
    return [
        case if case.value is None else case._replace(value=case.value.replace(b"@ID@", str(number).encode()))
        for number, case in enumerate(found, FIRST_ID)
    ]


CASES: Final[list[Case]] = cases(NOW)
