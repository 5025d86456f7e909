"""The table ``[check.severity]``: how grave the findings of rules are, and which rules are off."""

from __future__ import annotations

from typing import NamedTuple, cast

from imgref.check.finding import Severity
from imgref.check.rules import RULES, codes_of
from imgref.config import Setting
from imgref.errors import ConfigError, ImgrefError

__all__ = ["Severities", "read_severities"]

_WORDS = ("error", "warning", "off")


class Severities(NamedTuple):
    """The severities in the table.

    Attributes:
        levels: rules with how grave their findings are, in the order of their codes.
        off: rules that are off.
        named: rules that have a severity by their whole code, which turns them on.
    """

    levels: tuple[tuple[str, Severity], ...] = ()
    off: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


def read_severities(setting: Setting | None) -> Severities:
    """Read the table. Of a code and its prefixes, the longest counts.

    Raises:
        ConfigError: a key selects no rule, or a value is none of the three words.

    >>> table = {"IMG1": "error", "IMG104": "error", "IMG102": "off"}
    >>> found = read_severities(Setting(table, ".imgref.toml", 2))
    >>> dict(found.levels)["IMG101"], sorted(found.off), sorted(found.named)
    ('error', ['IMG102'], ['IMG104'])
    """
    if setting is None:
        return Severities()
    said: dict[str, str] = {}
    table = cast("dict[str, object]", setting.value)
    for selector in sorted(table, key=lambda selector: (selector != "ALL", len(selector))):
        word = table[selector]
        if word not in _WORDS:
            from imgref._utils.suggest import did_you_mean

            reason = f"the severity of {selector!r} must be 'error', 'warning' or 'off', not {word!r}"
            raise ConfigError(f"{reason}{did_you_mean(str(word), _WORDS, cutoff=0.6)}", setting.path, setting.line)
        said |= dict.fromkeys(_codes(selector, setting), str(word))
    return Severities(
        tuple((code, cast("Severity", said[code])) for code in RULES if said.get(code, "off") != "off"),
        frozenset(code for code, word in said.items() if word == "off"),
        frozenset(code for code in table if code in RULES and table[code] != "off"),
    )


def _codes(selector: str, setting: Setting) -> frozenset[str]:
    try:
        return codes_of([selector])
    except ImgrefError as error:
        raise ConfigError(str(error), setting.path, setting.line) from error
