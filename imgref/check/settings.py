"""The ``[check]`` section of the settings as a policy. Every mistake in it is an error with its position."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

from imgref.check.patterns import ImagePattern, PathPatterns, PatternError
from imgref.check.policy import Exemption, Policy
from imgref.check.rules import ONLINE, RULES, codes_of, default_codes
from imgref.check.severities import read_severities
from imgref.config import Config, Setting, find_config, load_config, own_config, parent_of, table_settings
from imgref.errors import ConfigError, ImgrefError
from imgref.hosts import HostPattern
from imgref.sources.kinds import KINDS

if TYPE_CHECKING:
    from datetime import date

__all__ = ["Policies", "load_policy", "read_policy"]

_KINDS: Final = {
    "select": "strings",
    "ignore": "strings",
    "extend-select": "strings",
    "allowed": "strings",
    "denied": "strings",
    "golden": "strings",
    "golden-scope": "string",
    "insecure-registries": "strings",
    "exclude": "strings",
    "files": "table",
    "severity": "table",
    "baseline": "string",
    "require-reason": "boolean",
    "per-file-ignores": "table",
    "exceptions": "tables",
}
_EXEMPTION_KINDS: Final = {"image": "string", "rules": "strings", "reason": "string", "expires": "date"}
_SCOPES: Final = ("final", "all")
_NO_REASON: Final = "IMG903"

_T = TypeVar("_T")


class Policies:
    """The policy of each directory: that of the nearest settings file upwards, or of the working directory.

    Args:
        read: turns a settings file, or None without one, into a policy.
        fixed: the one policy for all directories, if there is one.

    Attributes:
        found: the policies so far; :meth:`number` returns indexes into it.
    """

    def __init__(self, read: Callable[[Path | None], Policy], fixed: Policy | None = None) -> None:
        self.found: list[Policy] = [] if fixed is None else [fixed]
        self._read = read
        self._fixed = fixed is not None
        self._directories: dict[str, int] = {}
        self._numbers: dict[Path | None, int] = {}
        self._files: dict[str, Path | None] = {}

    def number(self, directory: str) -> int:
        """Return the index in :attr:`found` of the policy of a directory.

        Raises:
            ConfigError: the settings cannot be used.
        """
        if self._fixed:
            return 0
        if directory not in self._directories:
            # Files elsewhere without settings are checked with those of the working directory.
            file = self._file(os.path.realpath(directory)) or self._file(os.path.realpath(""))
            if file not in self._numbers:
                self._numbers[file] = len(self.found)
                self.found.append(self._read(file))
            self._directories[directory] = self._numbers[file]
        return self._directories[directory]

    def file(self, number: int) -> Path | None:
        """Return the settings file of a policy in :attr:`found`, or None without one."""
        return next((file for file, one in self._numbers.items() if one == number), None)

    def _file(self, directory: str) -> Path | None:
        passed = []
        file = None
        while directory not in self._files:
            passed.append(directory)
            above = parent_of(directory)
            if (file := own_config(directory)) is not None or above == directory:
                break
            directory = above
        else:
            file = self._files[directory]
        self._files.update(dict.fromkeys(passed, file))
        return file


def load_policy(
    path: str | os.PathLike[str] | None = None,
    *,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    enforced: bool = False,
) -> Policy:
    """Return the policy in the ``[check]`` section of a project's settings.

    Args:
        path: a settings file, or a directory, to which the nearest settings file upwards applies; by default the
            working directory. Without settings, the policy is the default one.
        select: codes or prefixes; check by these alone, whatever the settings select or ignore.
        ignore: codes or prefixes of rules to switch off.
        enforced: whether nothing in the files can weaken the policy, as with ``imgref check --enforce``.

    Raises:
        ConfigError: a file is missing or not valid, with its line.
        ImgrefError: ``select`` or ``ignore`` has an unknown rule.

    >>> policy = load_policy("/", select=("IMG101",))
    >>> sorted(policy.enabled), policy.allowed
    (['IMG101'], None)
    """
    from datetime import date

    start = Path() if path is None else Path(path)
    file = find_config(start) if start.is_dir() else start
    return read_policy(load_config(file), select=select, ignore=ignore, today=date.today(), enforced=enforced)


def read_policy(
    config: Config,
    *,
    root: Path | None = None,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    today: date | None = None,
    enforced: bool = False,
    online: bool = False,
) -> Policy:
    """Read the ``[check]`` section of a project's settings.

    Args:
        config: the settings.
        root: where the patterns of paths start; by default the directory of the settings file.
        select: codes or prefixes; check by these alone, whatever the settings select or ignore.
        ignore: codes or prefixes that are removed at the end.
        today: the day on which exceptions are looked at.
        enforced: whether the policy is the only one: what cannot be read or resolved is always a finding, and ignore
            comments do not count.
        online: whether registries are asked, which switches the rules on that need them.

    Raises:
        ConfigError: a key is unknown, a pattern cannot match, or a code does not exist; with the location.
        ImgrefError: ``select`` or ``ignore`` names no rule.
    """
    settings = config.section("check", _KINDS)
    severities = read_severities(settings.get("severity"))
    ignored = codes_of(ignore) | (frozenset() if select else _codes(settings.get("ignore")) | severities.off)
    needs_reason = settings.get("require-reason")
    enabled = codes_of(select) if select else _selected(settings) | severities.named
    if enforced:
        enabled |= {code for code, rule in RULES.items() if rule.enforced}
    enabled = _with_online(enabled, online=online, selected=bool(select))
    scope = settings.get("golden-scope")
    return Policy(
        enabled=enabled - ignored,
        allowed=_patterns(settings.get("allowed"), ImagePattern),
        denied=_patterns(settings.get("denied"), ImagePattern),
        golden=_patterns(settings.get("golden"), ImagePattern),
        golden_scope="final" if scope is None else _one_of(_SCOPES, scope.value, "golden-scope", scope),
        insecure=_patterns(settings.get("insecure-registries"), HostPattern) or (),
        exclude=_paths(settings.get("exclude")),
        per_file_ignores=tuple(_per_file(settings.get("per-file-ignores"))),
        exceptions=tuple(_exceptions(settings.get("exceptions"))),
        root=root if root is not None or config.path is None else config.path.resolve().parent,
        files=tuple(_files(settings.get("files"))),
        ignored=ignored,
        require_reason=None if needs_reason is None else bool(needs_reason.value),
        inline_ignores=not enforced,
        severities=severities.levels,
        baseline=None if enforced else _beside(settings.get("baseline")),
        today=today,
    )


def _with_online(enabled: frozenset[str], *, online: bool, selected: bool) -> frozenset[str]:
    """Return the rules without those that need a registry, or with them where one may be used."""
    if not online:
        return enabled - ONLINE
    return enabled if selected else enabled | ONLINE


def _selected(settings: dict[str, Setting]) -> frozenset[str]:
    chosen = settings.get("select")
    selected = default_codes() if chosen is None else _codes(chosen)
    needs_reason = settings.get("require-reason")
    if needs_reason is not None and needs_reason.value:
        selected |= {_NO_REASON}
    return selected.union(_codes(settings.get("extend-select")))


def _beside(setting: Setting | None) -> Path | None:
    """Return a path that is relative to the file that sets it."""
    return None if setting is None else Path(setting.path).absolute().parent / str(setting.value)


def _one_of(known: tuple[str, ...], value: object, name: str, setting: Setting) -> str:
    """Return a value that must be one of a few words.

    Raises:
        ConfigError: it is not; the nearest word is suggested.
    """
    if value not in known:
        from imgref._utils.suggest import did_you_mean

        listed = f"{', '.join(map(repr, known[:-1]))} or {known[-1]!r}"
        reason = f"{name} must be {listed}, not {value!r}{did_you_mean(str(value), known)}"
        raise ConfigError(reason, setting.path, setting.line)
    return str(value)


def _codes(setting: Setting | None) -> frozenset[str]:
    if setting is None:
        return frozenset()
    try:
        return codes_of(cast("list[str]", setting.value))
    except ImgrefError as error:
        raise ConfigError(str(error), setting.path, setting.line) from error


def _patterns(setting: Setting | None, make: Callable[[str], _T]) -> tuple[_T, ...] | None:
    if setting is None:
        return None
    try:
        return tuple(make(text) for text in cast("list[str]", setting.value))
    except PatternError as error:
        raise ConfigError(str(error), setting.path, setting.line) from error


def _paths(setting: Setting | None) -> PathPatterns:
    return PathPatterns() if setting is None else _compiled(cast("list[str]", setting.value), setting)


def _path(text: str, setting: Setting) -> PathPatterns:
    """Return the pattern of a table of patterns, each of which is by itself."""
    if text.startswith("!"):
        reason = f"invalid pattern of paths {text!r}: only exclude can negate; write a ! of the name as \\!"
        raise ConfigError(reason, setting.path, setting.line)
    return _compiled([text], setting)


def _compiled(lines: list[str], setting: Setting) -> PathPatterns:
    try:
        return PathPatterns(*lines)
    except PatternError as error:
        raise ConfigError(str(error), setting.path, setting.line) from error


def _per_file(setting: Setting | None) -> Iterator[tuple[PathPatterns, frozenset[str]]]:
    if setting is None:
        return
    for pattern, codes in cast("dict[str, object]", setting.value).items():
        listed = [codes] if isinstance(codes, str) else codes
        if not isinstance(listed, list) or not all(isinstance(code, str) for code in listed):
            reason = f"per-file-ignores needs a list of codes for {pattern!r}, not {codes!r}"
            raise ConfigError(reason, setting.path, setting.line)
        yield _path(pattern, setting), _codes(Setting(listed, setting.path, setting.line))


def _files(setting: Setting | None) -> Iterator[tuple[PathPatterns, str]]:
    if setting is None:
        return
    for pattern, kind in cast("dict[str, object]", setting.value).items():
        yield (
            _path(pattern, setting),
            _one_of(tuple(sorted(KINDS)), kind, f"the kind of {pattern!r} in check.files", setting),
        )


def _exceptions(setting: Setting | None) -> Iterator[Exemption]:
    for entry in [] if setting is None else cast("list[Setting]", setting.value):
        said = table_settings(entry, "check.exceptions", _EXEMPTION_KINDS)
        image = said.get("image")
        if image is None:
            raise ConfigError("an exception needs an image: the repositories that it is for", entry.path, entry.line)
        patterns = _patterns(Setting([image.value], entry.path, entry.line), ImagePattern) or ()
        reason, expires = said.get("reason"), said.get("expires")
        yield Exemption(
            patterns[0],
            _codes(said["rules"]) if "rules" in said else frozenset(RULES),
            None if reason is None else str(reason.value),
            None if expires is None else cast("date", expires.value),
            entry.where,
        )
