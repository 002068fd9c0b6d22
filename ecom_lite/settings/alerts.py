"""Settings of the alerts: how often a run evaluates its rules, and where it tells what they find."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from .section import OwnFolder, Section, Topic


def _is_whole(url: str) -> bool:
    """Whether its host and its port can be one."""
    try:
        return bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        return False


class Alerts(Section):
    """Alerts: rules that a run evaluates (docs/alerts.md)."""

    enabled: bool = Field(True, description="a run evaluates the rules that come with the program, and yours")
    folder: OwnFolder | None = Field(None, description="rules of your own, a .toml file each; as a rule beside config.toml")
    every_s: float = Field(10, ge=1, le=3600, description="how often, of rules that do not say it themselves")
    timeout_s: float = Field(2, gt=0, le=60, description="the longest that one question of a rule may take")
    topic: Topic = Field("ecommerce_alerts", description="alerts that fire or are over are told there")
    webhook: SecretStr = Field(SecretStr(""), description="http or https address that is sent the same; empty: none")
    webhook_header: SecretStr = Field(SecretStr(""), description="sent along, such as `Authorization: Bearer ...`")
    webhook_timeout_s: float = Field(5, gt=0, le=60)

    @field_validator("webhook", mode="after")
    @classmethod
    def _of_the_web(cls, webhook: SecretStr) -> SecretStr:
        url = webhook.get_secret_value()
        if url and not (re.fullmatch(r"https?://[^\s/@]+(:\d+)?(/\S*)?", url) and _is_whole(url)):
            raise ValueError("give an address that begins with http:// or https://, without a name and password in it")
        return webhook

    @field_validator("webhook_header", mode="after")
    @classmethod
    def _one_line(cls, header: SecretStr) -> SecretStr:
        line = header.get_secret_value()
        if line and not re.fullmatch(r"[A-Za-z0-9-]+:[ \t]*[\x21-\x7e][\x20-\x7e]*", line):
            raise ValueError("give one line such as Authorization: Bearer ...")
        return header
