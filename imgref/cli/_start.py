"""Makes starting and exiting cheaper.

Most of a start is the import of click, and a third of that is for what imgref does not do.
"""

from __future__ import annotations

import atexit
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Final

__all__ = ["leave", "prepare"]


class _Postponed(ModuleType):
    """Replaces a module that is imported when something of it is used that is not here already."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # the import system asks for __path__
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        value: object = getattr(import_module(self.__name__), name)
        setattr(self, name, value)
        return value


def prepare() -> None:
    """Import click without modules that it hardly uses.

    Only click's own modules get the replacements, with what click always uses of them.
    """
    postponed = [name for name in _OFTEN if name not in sys.modules]
    for name in postponed:
        module = sys.modules[name] = _Postponed(name)
        vars(module).update(_OFTEN[name])
    try:
        import_module("click")
    finally:
        for name in postponed:
            if isinstance(sys.modules.get(name), _Postponed):
                del sys.modules[name]


def leave(code: object) -> None:
    """End the process, unless other threads still work or the output cannot be written.

    The interpreter would take every module and object apart first, which takes as long as a tenth of a start.
    """
    import threading

    if type(code) is not int or threading.active_count() > 1:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    atexit._run_exitfuncs()  # noqa: SLF001  os._exit would skip them
    os._exit(code)


def _cleandoc(text: str) -> str:
    """Return the help of an option as ``inspect.cleandoc`` does; it is nearly always a single line."""
    if "\n" in text or text[:1].isspace():  # which space is removed differs between versions of Python
        from inspect import cleandoc

        return cleandoc(text)
    return text.expandtabs()


def _gettext(message: str) -> str:
    """Return click's English message: click has no translations, and looking for them loads ``locale``."""
    return message


def _ngettext(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


class _UUID:
    """A replacement for ``uuid.UUID``, whose module imports ``platform``: click uses it for a type of parameters."""

    def __new__(cls, text: str) -> object:  # type: ignore[misc]
        from uuid import UUID

        return UUID(text)


_OFTEN: Final[dict[str, dict[str, object]]] = {
    "inspect": {"cleandoc": _cleandoc},
    "gettext": {"gettext": _gettext, "ngettext": _ngettext},
    "uuid": {"UUID": _UUID},
}
