"""The settings of one CI system, in ``[tags.environments]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from imgref.config import Setting, table_settings
from imgref.errors import ConfigError

__all__ = ["environment_settings"]

_KINDS: Final = {"image": "strings", "default-branch": "string", "sha": "boolean", "any-tag": "boolean"}

_LOCAL: Final = "local"
"""The environment without a CI system."""


def environment_settings(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings that apply in the CI system that runs this, or in none.

    Args:
        settings: those of the section ``[tags]``.

    Raises:
        ConfigError: an environment, a key or a value is not known.
    """
    if "environments" not in settings:
        return {}
    from imgref.ci import running_system, system_names

    names = {name.lower().replace(" ", "-"): name for name in system_names()}
    setting, running = settings["environments"], running_system()
    found: dict[str, Setting] = {}
    for name, table in cast("dict[str, object]", setting.value).items():
        if name != _LOCAL and name not in names:
            from imgref._utils.suggest import did_you_mean

            meant = did_you_mean(name, [*names, _LOCAL])
            raise ConfigError(f"unknown environment {name!r} in [tags.environments]{meant}", setting.path, setting.line)
        if not isinstance(table, dict):
            raise ConfigError(f"[tags.environments.{name}] must be a table", setting.path, setting.line)
        entry = table_settings(Setting(table, setting.path, setting.line), f"tags.environments.{name}", _KINDS)
        if names.get(name) == running:
            found = entry
    return found
