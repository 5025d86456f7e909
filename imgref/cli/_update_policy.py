"""Turns the ``[update]`` section of the settings into rules: each mistake is reported with its location."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar, cast

from imgref._utils.suggest import did_you_mean
from imgref.check.patterns import ImagePattern, PatternError
from imgref.cli._durations import read_duration
from imgref.config import Config, Setting, table_settings
from imgref.errors import ConfigError, InvalidVersion
from imgref.update.policy import LEVELS, ImageRule, Rule, To, UpdatePolicy
from imgref.versions import VersionRange

__all__ = ["read_update_policy"]

_KINDS: Final = {"to": "string", "min-age": "string", "images": "tables"}
_IMAGE_KINDS: Final = {"image": "string", "to": "string", "range": "string", "min-age": "string"}

_T = TypeVar("_T")


def read_update_policy(
    config: Config, *, to: To | None = None, min_age: timedelta | None = None, pre: bool = False
) -> UpdatePolicy:
    """Read the ``[update]`` section of a project's settings.

    Args:
        config: the settings.
        to: replaces the level of images without their own.
        min_age: replaces the age of images without their own.
        pre: whether pre-releases are allowed.

    Raises:
        ConfigError: a key is unknown, or a value is not valid; with the location.
    """
    settings = config.section("update", _KINDS)
    default = Rule(
        to if to is not None else _read(settings.get("to"), _level) or "minor",
        min_age if min_age is not None else _read(settings.get("min-age"), read_duration) or timedelta(),
        None,
        pre,
    )
    entries = []
    listed = settings.get("images")
    for entry in [] if listed is None else cast("list[Setting]", listed.value):
        own = table_settings(entry, "update.images", _IMAGE_KINDS)
        if "image" not in own:
            raise ConfigError("an entry of update.images needs an image", entry.path, entry.line)
        pattern = _read(own["image"], ImagePattern)
        assert pattern is not None
        age = _read(own.get("min-age"), read_duration)
        rule = Rule(
            _read(own.get("to"), _level) or default.to,
            default.min_age if age is None else age,
            _read(own.get("range"), _range),
            pre,
        )
        entries.append(ImageRule(pattern.matches, rule))
    return UpdatePolicy(default, tuple(entries))


def _read(setting: Setting | None, read: Callable[[str], _T]) -> _T | None:
    if setting is None:
        return None
    try:
        return read(str(setting.value))
    except (PatternError, InvalidVersion, ValueError) as error:
        raise ConfigError(str(error), setting.path, setting.line) from error


def _level(text: str) -> To:
    if text not in LEVELS:
        near = did_you_mean(text, LEVELS)
        raise ValueError(f"invalid level {text!r}: it is one of {', '.join(LEVELS)}{near}")
    return text


def _range(text: str) -> VersionRange:
    return VersionRange.parse(text, "numeric")
