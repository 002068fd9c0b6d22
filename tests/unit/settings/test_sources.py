"""Further sources in the settings: [events.NAME], by file and environment, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.contract.events import utc_now
from ecom_lite.contract.reader import make_reader
from ecom_lite.contract.rejected import Rejected
from ecom_lite.errors import ConfigError, UsageError
from ecom_lite.settings.load import load_settings, load_with_origins
from ecom_lite.settings.show import describe, dump_settings, read_sections

LINE = (
    b'{"order_id": 1001, "user_id": 1, "product_id": 2, "product_title": "x", "category": "c", "price": 2, "quantity": 1, '
    b'"revenue": 2, "timestamp": "2026-01-01T00:00:00Z"}'
)
WEB = """
[events]
strict = true

[events.web]
topic = "web_orders"
unit = "cents"

[events.web.fields]
order_id = "orderNo"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text)
    return file


def test_sources_come_from_the_file_and_the_environment_and_are_shown(tmp_path: Path) -> None:
    env = {
        "ECOM_LITE_EVENTS__POS__TOPIC": "till",
        "ECOM_LITE_EVENTS__WEB__FIELDS__PRICE": "p",
        "ECOM_LITE_EVENTS__POS__STRICT": "1",
    }
    settings, origins = load_with_origins(written(tmp_path, WEB), env=env)
    assert settings.topics == ("ecommerce_events", "web_orders", "till")
    web = settings.events.sources["web"]
    assert (web.unit, web.fields, web.strict) == ("cents", {"order_id": ("orderNo",), "price": ("p",)}, False)
    assert settings.events.strict and settings.events.sources["pos"].strict and settings.events.fields == {}
    shown = {one.name: (one.value, one.origin) for one in describe(settings, origins)}
    assert shown["events.web.topic"] == ("web_orders", f"{tmp_path}/config.toml:6")
    assert shown["events.pos.topic"] == ("till", "environment ECOM_LITE_EVENTS__POS__TOPIC")
    assert shown["events.sources"][0] == "web, pos"
    assert read_sections(dump_settings(settings)) == settings


def test_one_source_takes_the_place_of_the_main_one(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, WEB), env={})
    web = settings.of_source("web")
    assert (web.kafka.topic, web.events.unit, web.events.sources) == ("web_orders", "cents", {})
    assert (settings.source_of("web_orders"), settings.source_of("ecommerce_events")) == ("web", None)
    with pytest.raises(UsageError, match="--source pos: no such source; there is web"):
        settings.of_source("pos")


def test_with_a_further_source_spark_reads_what_was_judged() -> None:
    one = {"events.web": {"topic": "w"}}
    assert load_settings(env={}, flags=one).spark_reads_judged
    assert not load_settings(env={}, flags={**one, "run.light": True}).spark_reads_judged
    assert not load_settings(env={}).spark_reads_judged


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[events.web]\nunit = "cents"', '1: [events.web] is a further source of events, and needs topic = "..."'),
        ('[events.web]\ntopic = "w"\nfoo = 1', "3: events.web.foo: no such setting"),
        ('[events.web]\ntopic = "w"\nunit = "x"', "3: events.web.unit = 'x': "),
        ('[events.web]\ntopic = "a b"', "2: events.web.topic = 'a b': "),
        ('[events.web]\ntopic = "w"\n[events.web.fields]\norder = "x"', "4: events.web.fields.order = 'order': "),
        ('[events.Web]\ntopic = "w"', "1: events.Web = 'Web': name a source by "),
        (
            '[events.web]\ntopic = "ecommerce_events"',
            "2: events.web.topic = 'ecommerce_events': that is the topic of kaf",
        ),
        ('[events.web]\ntopic = "ecommerce_events.dlq"', "that is the topic for dead letters"),
        ('[events.web]\ntopic = "ecommerce_events.judged"', "that is the topic for Spark"),
        ('[events.web]\ntopic = "w"\n[events.pos]\ntopic = "w"', "4: events.pos.topic = 'w': that is the topic of events.web"),
        ("[events]\nfoo = 1", "2: events.foo: no such setting"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_section_and_value(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_settings(written(tmp_path, text), env={})
    assert said in str(raised.value) and str(tmp_path) in str(raised.value)


def test_a_variable_deeper_than_a_setting_is_no_setting() -> None:
    env = {"ECOM_LITE_SHOP__RATE": "5", "ECOM_LITE_SHOP__RATE__X": "5"}
    with pytest.raises(ConfigError, match=r"ECOM_LITE_SHOP__RATE__X: shop\.rate\.x: no such setting"):
        load_settings(env=env)


def test_the_prefix_stands_before_the_order_id_and_counts_in_its_length() -> None:
    settings = load_settings(env={}, flags={"events.pos": {"topic": "t", "order_prefix": "pos-"}})
    read = make_reader(settings.events.sources["pos"])
    (event,) = read(LINE, utc_now())
    assert getattr(event, "order_id", "") == "pos-1001"
    with pytest.raises(Rejected, match="order_prefix: more than 64"):
        read(LINE.replace(b"1001", b'"' + b"x" * 61 + b'"'), utc_now())


def test_attributes_are_declared_once_for_all_sources(tmp_path: Path) -> None:
    text = '[events.attributes]\nchannel = "text"\n[events.web]\ntopic = "w"\n[events.web.fields]\nchannel = "via"\n'
    settings = load_settings(written(tmp_path, text), env={})
    assert settings.events.sources["web"].attributes == settings.events.attributes == {"channel": "text"}
    assert read_sections(dump_settings(settings)) == settings
    with pytest.raises(ConfigError, match="for all sources"):
        load_settings(written(tmp_path, text + '[events.web.attributes]\nshelf = "text"\n'), env={})
