"""Each row of Parquet is one object: decimals exact, times with their zone, what is nested as JSON."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from ecom_lite.errors import EcomLiteError

from .files import read, written


def test_values_keep_their_exact_worth(tmp_path: Path) -> None:
    file = tmp_path / "a [1]*.parquet"
    duckdb.execute("SET TimeZone = 'Asia/Tokyo'")
    duckdb.execute(
        f"""COPY (
            SELECT
                'o-1' AS order_id, 12345678901234567.10::decimal(20, 2) AS price, 19.99::float AS "a ""b", 19.99::double AS c,
                timestamptz '2026-01-01 09:00:00.123456+09' AS at, timestamp '2026-01-01 09:00:00' AS local,
                date '2026-01-02' AS day, NULL::integer AS gone, map {{'k': 1}} AS more,
                [{{'sku': 'x', 'price': 1.10::decimal(9, 2), 'at': timestamptz '2026-01-01 09:00:00+09'}}] AS items,
                9223372036854775807 AS big, true AS yes
        ) TO '{file}'"""
    )
    (record,) = read(file)
    assert record.where == "row 1"
    assert record.value == (
        b'{"order_id":"o-1","price":12345678901234567.10,"a \\"b":19.99,"c":19.99,"at":"2026-01-01T00:00:00.123456Z",'
        b'"local":"2026-01-01T09:00:00","day":"2026-01-02","more":{"k":1},'
        b'"items":[{"sku":"x","price":1.10,"at":"2026-01-01T00:00:00Z"}],"big":9223372036854775807,"yes":true}'
    )


def test_a_file_that_is_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(EcomLiteError, match=r"mine cannot be read as Parquet: .*magic bytes"):
        read(written(tmp_path, b"PAR1" + b"x" * 100))
