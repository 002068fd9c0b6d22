"""The four layers of settings, and messages that say where, which field, which value and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ecom_lite.errors import ConfigError
from ecom_lite.settings.load import load_settings, load_with_origins
from ecom_lite.settings.show import describe, dump_sections, dump_settings, read_sections
from ecom_lite.settings.tree import Settings
from ecom_lite.settings.values import duration_s, duration_text


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return file


def test_each_layer_beats_the_one_before(tmp_path: Path) -> None:
    file = write(tmp_path, "[shop]\nrate = 10\nseed = 1\ncustomers = 50\n")
    settings = load_settings(
        file, env={"ECOM_LITE_SHOP__RATE": "20", "ECOM_LITE_SHOP__SEED": "2"}, flags={"shop.rate": "30", "shop.events": None}
    )
    shop = settings.shop
    assert (shop.rate, shop.seed, shop.customers, shop.products, shop.events) == (30.0, 2, 50, 20, None)


def test_rate_max_and_numbers_as_text(tmp_path: Path) -> None:
    assert load_settings(env={"ECOM_LITE_SHOP__RATE": "max"}).shop.rate == "max"
    assert load_settings(env={"ECOM_LITE_KAFKA__PORT": "9092"}).kafka.port == 9092


def test_times_and_shares_are_read_as_people_write_them() -> None:
    flags = {"shop.start": "2026-01-01T01:00+01:00", "shop.history": "90d", "faults.late": "5%", "faults.silence": 0.01}
    settings = load_settings(env={"ECOM_LITE_SHOP__COUNTRIES": "US, DE"}, flags=flags)
    assert settings.shop.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert load_settings(env={}, flags={"shop.start": "2026-01-01"}).shop.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert settings.shop.history == 90 * 86_400
    assert settings.shop.countries == ("US", "DE")
    assert (settings.faults.late, settings.faults.silence) == (0.05, 0.01)
    assert Settings.model_validate(dump_settings(settings)) == settings


def test_a_shop_with_a_history_is_larger_unless_its_size_is_given() -> None:
    assert load_settings(env={}).shop.customers == 200
    assert load_settings(env={}, flags={"shop.history": "90d"}).shop.customers == 200_000
    assert load_settings(env={}, flags={"shop.history": "90d", "shop.customers": 50}).shop.customers == 50
    assert load_settings(env={}, flags={"shop.history": "90d"}).shop.products == 300


def test_the_data_folder_is_absolute_whatever_set_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(env={}).data_dir == tmp_path / ".ecom_lite"
    assert load_settings(env={}, flags={"run.data_dir": "a/../b c"}).data_dir == tmp_path / "b c"
    assert load_settings(env={}, flags={"run.data_dir": "~/x"}).data_dir == Path.home() / "x"


def test_a_path_is_one_for_servers_that_work_in_another_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    jars = {"jars.cache_dir": "jars", "jars.offline_dir": "~/jars"}
    read = load_settings(env={}, flags={**jars, "kafka.ssl_cafile": "ca.pem", "postgres.passwords_file": "~/p"})
    assert (read.jars.cache_dir, read.jars.offline_dir) == (tmp_path / "jars", Path.home() / "jars")
    assert (read.kafka.ssl_cafile, read.postgres.passwords_file) == (str(tmp_path / "ca.pem"), Path.home() / "p")
    assert load_settings(env={}).kafka.ssl_cafile == ""


@pytest.mark.parametrize("name", ["run.data_dir", "jars.cache_dir", "check.folder", "dashboards.folder"])
def test_the_home_of_nobody_is_told_and_no_traceback(tmp_path: Path, name: str) -> None:
    section, _, key = name.partition(".")
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, f'[{section}]\n{key} = "~nobody_has_this_name/x"\n'), env={})
    said = str(caught.value)
    assert "config.toml:2: " in said and key in said and "nobody has the home ~nobody_has_this_name here" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# a remark\n\n[shop]\nrate = -1\n", ["config.toml:4: ", "shop.rate", "-1", "above 0"]),
        ("[shop]\nrat = 1\n", ["config.toml:2: ", "shop.rat", "no such setting", "ecom_lite config"]),
        ("[shopp]\nrate = 1\n", ["config.toml:2: ", "shopp", "no such setting"]),
        ("rate = 1\n", ["config.toml:1: ", "`rate`", "section"]),
        ("[shop\n", ["config.toml", "not valid TOML", "line 1"]),
        ("[kafka]\nport = 99999\n", ["config.toml", "kafka.port", "99999", "65535"]),
        ("[kafka]\ntopic = 'a b'\n", ["kafka.topic", "a b"]),
        ("[run]\nlog_level = 'loud'\n", ["run.log_level", "loud", "debug"]),
        ("[run]\ndisk_pause_percent = 5\n", ["config.toml:2: ", "run.disk_pause_percent", "10"]),
        ("[run]\nlight = true\ndisk_wait_percent = 90\n", ["config.toml:3: run: disk_wait_percent = 90 is below"]),
        ("[transform]\nevery_s = 1e12\n", ["config.toml:2: ", "transform.every_s = 1000000000000.0", "31536000"]),
        ("[run]\nstop_timeout_s = inf\n", ["config.toml:2: ", "run.stop_timeout_s = inf", "finite number"]),
        ("[run]\ndisk_wait_percent = 90\n", ["below disk_pause_percent = 95", "the shop pauses before the loaders wait"]),
        ("[lake]\nkeep_snapshots_h = 1e9\n", ["config.toml:2: ", "lake.keep_snapshots_h", "1000000000", "876000"]),
        ("[shop]\nhistory = '90 days'\n", ["shop.history", "90 days", "such as 60s, 5m, 2h or 90d"]),
        ("[shop]\nstart = 'today'\n", ["shop.start", "today", "2026-01-01T00:00Z"]),
        ("[shop]\nstart = 1999-01-01\n", ["shop.start", "1999", "from the year 2000 to 2200"]),
        ("[shop]\ncountries = ['US', 'XX']\n", ["shop.countries", "XX", "GB"]),
        ("[events]\ntime_zone = 'Mars'\n", ["config.toml:2: ", "events.time_zone", "Mars", "Europe/Berlin"]),
        ("[events]\ntime_zone = 'Europe'\n", ["events.time_zone", "Europe/Berlin"]),
        ("[events.fields]\n\noder_id = 'x'\n", ["config.toml:3: ", "oder_id", "order_id"]),
        ("[events.fields]\nprice = 'a..b'\n", ["config.toml:2: ", "a..b", "items[].sku"]),
        ("[events.fields]\nprice = 'a[].b'\n", ['events.lines = "a[]"']),
        ("[events]\nfields = { price = 'a' }\nconstants = { price = 1 }\n", ["price", "keep one of them"]),
        ("[events.attributes]\n\nprice = 'text'\n", ["config.toml:3: ", "a field of the contract already", "shop_price"]),
        ("[events.attributes]\nstore_key = 'text'\n", ["store_key", "column of the warehouse"]),
        ("[events.attributes]\nChannel = 'text'\n", ["Channel", "a-z, 0-9 and _"]),
        ("[events.attributes]\nchannel = 'varchar'\n", ["config.toml:2: ", "varchar", "dimension, integer, number or boolean"]),
        ("[events.constants]\nchannel = 'web'\n", ["config.toml:2: ", '[events.attributes] channel = "text"']),
        ("[faults]\nlate = '60%'\n", ["faults.late", "60%", "from 0% to 50%"]),
    ],
)
def test_a_wrong_file_is_named_with_field_value_and_reason(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, text), env={})
    assert [word for word in words if word not in str(caught.value)] == []
    assert caught.value.exit_code == 2


def test_a_wrong_variable_or_flag_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^environment ECOM_LITE_SHOP__SEED: shop\.seed = 'x'"):
        load_settings(env={"ECOM_LITE_SHOP__SEED": "x"})
    with pytest.raises(ConfigError, match=r"^option --rate: shop\.rate = 'fast'"):
        load_settings(env={}, flags={"shop.rate": "fast"})


def test_a_config_file_that_is_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_settings(tmp_path / "none.toml", env={})


def test_secrets_are_in_no_message_and_no_listing(tmp_path: Path) -> None:
    settings = load_settings(env={"ECOM_LITE_POSTGRES__URL": "postgresql://a:hush@h/d", "ECOM_LITE_KAFKA__SASL_PASSWORD": "hush"})
    assert "hush" not in repr(settings) + str(describe(settings))
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, "[kafka]\nsasl_password = ['hush']\n"), env={})
    assert "hush" not in str(caught.value)


def test_every_setting_is_listed_once_and_goes_to_a_worker_unchanged() -> None:
    settings = load_settings(env={"ECOM_LITE_POSTGRES__URL": "postgresql://a:hush@h/d"}, flags={"jars.cache_dir": "/tmp/j"})
    names = [setting.name for setting in describe(settings)]
    assert len(names) == len(set(names)) == sum(len(section) for section in dump_settings(settings).values())
    again = Settings.model_validate(dump_settings(settings))
    assert again == settings
    assert again.postgres.url.get_secret_value() == "postgresql://a:hush@h/d"


@pytest.mark.parametrize("rate", ["inf", "nan", "-5", "0", "fast"])
def test_a_rate_that_no_shop_can_keep_is_refused_in_one_line(rate: str) -> None:
    with pytest.raises(
        ConfigError, match=r"^option --rate: shop\.rate = .*: give a number of orders per second above 0, or max, or natural$"
    ):
        load_settings(env={}, flags={"shop.rate": rate})


def test_one_underscore_too_few_is_told() -> None:
    with pytest.raises(ConfigError, match="two underscores"):
        load_settings(env={"ECOM_LITE_SHOP_RATE": "200"})
    load_settings(env={"ECOM_LITE_COMPOSE_PASSWORD": "x", "ECOM_LITE_DASHBOARDS": "y"})


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    file = write(tmp_path, "[shop]\nrate = 10\n")
    empty = {"ECOM_LITE_SHOP__RATE": "", "ECOM_LITE_KAFKA__BOOTSTRAP": "", "ECOM_LITE_SHOP_SEED": "", "ECOM_LITE_NONE__SUCH": ""}
    settings, origins = load_with_origins(file, env=empty)
    assert settings == load_settings(file, env={}) and origins == {"shop.rate": f"{file}:2"}


def test_each_value_says_where_it_came_from(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "shop.products = 30\n# [shop]\n[kafka]  # topic = 'no'\n  topic = 'a'\npartitions=2\n\n"
        "[ faults ]\nlate = '5%'\nlate_s = '2m'\n",
    )
    settings, origins = load_with_origins(
        file, env={"ECOM_LITE_FAULTS__LATE": "1%", "ECOM_LITE_SHOP__SEED": "3"}, flags={"run.data_dir": "/d", "shop.seed": 4}
    )
    found = {setting.name: (setting.value, setting.origin) for setting in describe(settings, origins)}
    assert {name: pair for name, pair in found.items() if pair[1] != "default"} == {
        "shop.products": ("30", f"{file}:1"),
        "kafka.topic": ("a", f"{file}:4"),
        "kafka.partitions": ("2", f"{file}:5"),
        "faults.late": ("0.01", "environment ECOM_LITE_FAULTS__LATE"),
        "faults.late_s": ("2m", f"{file}:9"),
        "shop.seed": ("4", "option --seed"),
        "run.data_dir": ("/d", "option --data-dir"),
    }
    assert found["shop.history"] == ("", "default")


def test_a_rarer_way_of_writing_has_its_file_alone(tmp_path: Path) -> None:
    file = write(tmp_path, "shop = { seed = 1 }\n['kafka']\n'topic' = 'a'\n")
    assert load_with_origins(file, env={})[1] == {"shop.seed": str(file), "kafka.topic": str(file)}


@pytest.mark.parametrize("text", ["30d", "90m", "36h", "1s", "2.5s", "61s", "7d"])
def test_a_duration_is_shown_as_it_is_written(text: str) -> None:
    settings = load_settings(env={}, flags={"shop.history": text})
    assert {setting.name: setting.value for setting in describe(settings)}["shop.history"] == text
    assert duration_s(duration_text(duration_s(text))) == duration_s(text)


def test_a_worker_gets_only_its_sections_and_no_default_for_the_others() -> None:
    env = {"ECOM_LITE_POSTGRES__URL": "postgresql://a:hush@h/d", "ECOM_LITE_KAFKA__SASL_PASSWORD": "word"}
    settings = load_settings(env=env, flags={"load.flush_ms": 50, "run.data_dir": "relative"})
    plain = json.loads(json.dumps(dump_sections(settings, ["kafka", "load", "run"])))
    assert set(plain) == {"kafka", "load", "run"} and "hush" not in str(plain) and "word" in str(plain)
    again = read_sections(plain)
    assert (again.kafka, again.load, again.run) == (settings.kafka, settings.load, settings.run)
    with pytest.raises(AttributeError):
        _ = again.postgres
    with pytest.raises(ValidationError):
        again.load.flush_ms = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("flags", "judged"),
    [
        ({}, False),
        ({"currency.default": "EUR", "shop.enabled": False}, False),
        ({"events.attributes": {"channel": "text"}}, True),  # a value of a wrong type is a dead letter, which Spark cannot know
        ({"events.attributes": {"channel": "text"}, "run.light": True}, False),
        ({"events.attributes": {}}, False),
    ],
)
def test_spark_reads_what_the_loader_has_judged_only_where_it_must(flags: dict[str, Any], judged: bool) -> None:
    assert load_settings(env={}, flags=flags).spark_reads_judged is judged


def test_a_setting_of_an_earlier_version_is_told_of_and_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[spark]\nlake = false\n")
    settings, origins = load_with_origins(file, env={})
    assert settings == load_settings(env={}, flags={"check.folder": settings.check.folder}) and "spark.lake" not in origins
    assert f"{file}:2: spark.lake has no effect any more: lake.raw_days says" in caplog.text
