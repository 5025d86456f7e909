"""``dataclass`` as in :mod:`dataclasses`, which does its work when a class is first used, and not when it is defined.

The standard library writes and compiles the methods of each class at import, and imports :mod:`inspect` for that: a
hundred times as long as defining a class takes, and a command that checks one file defines forty. Here the methods are
shared, and only ``__init__`` is compiled, before the first object is made. Type checkers see the original, and
:func:`dataclasses.fields`, :func:`inspect.signature` and the like receive what the original would have.

Only ``slots=True`` with and without ``frozen``, ``kw_only`` and ``init`` is done here; the original does the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

__all__ = ["dataclass", "field", "replace"]

_CLASS_OPTIONS: Final = frozenset({("slots", True), ("frozen", True), ("kw_only", True), ("init", False)})
_OPTIONS: Final = frozenset({"default", "default_factory", "compare", "repr"})
"""The options of fields that are done here."""

_FIELDS: Final[dict[type, tuple[str, ...]]] = {}
"""The names of the fields of every class that is made here."""

_MISSING: Final = object()


class _Field:
    """A field with options."""

    __slots__ = ("options",)

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options


if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> Any:
        """Return a class, or its decorator, as :func:`dataclasses.dataclass` does."""

        def decorate(cls: type) -> type:
            return (_made if _is_simple(cls, options) else _original)(cls, options)

        return decorate if cls is None else decorate(cls)

    def field(**options: Any) -> Any:
        """Return a field with options, as :func:`dataclasses.field` does."""
        return _Field(options)

    def replace(obj: Any, /, **changes: Any) -> Any:
        """Return a copy with other values, as :func:`dataclasses.replace` does."""
        names = _FIELDS.get(type(obj))
        if names is None:
            from dataclasses import replace as original

            return original(obj, **changes)
        return type(obj)(**changes, **{name: getattr(obj, name) for name in names if name not in changes})


def _is_simple(cls: type, options: dict[str, bool]) -> bool:
    """Return whether nothing is asked for that only the original does."""
    fields = [value for value in vars(cls).values() if isinstance(value, _Field)]
    return (
        _CLASS_OPTIONS >= options.items() >= {("slots", True)}
        and cls.__bases__ == (object,)
        and ("init" not in options or "__init__" in vars(cls))
        and not any("ClassVar" in annotation or "InitVar" in annotation for annotation in cls.__annotations__.values())
        and all(_OPTIONS.issuperset(one.options) for one in fields)
    )


def _original(cls: type, options: dict[str, bool]) -> type:
    """Return the class that the standard library makes."""
    import dataclasses

    for name, value in list(vars(cls).items()):
        if isinstance(value, _Field):
            setattr(cls, name, dataclasses.field(**value.options))
    made: type = dataclasses.dataclass(**options)(cls)
    return made


def _made(cls: type, options: dict[str, bool]) -> type:
    """Return a class with slots and the methods of a dataclass."""
    names = tuple(cls.__annotations__)
    defaults = {name: vars(cls)[name] for name in names if name in vars(cls)}
    own = {name: value for name, value in vars(cls).items() if name not in {*names, "__dict__", "__weakref__"}}
    if own.get("__hash__", ...) is None:  # Python adds this to a class that has an __eq__
        del own["__hash__"]
    methods = _methods(names, defaults, options)
    if "__init__" in own:
        del methods["__signature__"]
    made = type(cls)(cls.__name__, (), {**methods, **own, "__slots__": names})
    made.__qualname__ = cls.__qualname__
    _FIELDS[made] = names
    return made


def _methods(names: tuple[str, ...], defaults: dict[str, Any], options: dict[str, bool]) -> dict[str, object]:
    compared = [name for name in names if _option(defaults.get(name), "compare")]
    shown = [name for name in names if _option(defaults.get(name), "repr")]
    values: Callable[[object], object] = attrgetter(*compared) if compared else lambda _: ()

    def first_init(self: Any, *args: object, **kwargs: object) -> None:
        cls = type(self)
        cls.__init__ = _init(cls, names, defaults, options)
        cls.__init__(self, *args, **kwargs)

    def represent(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    methods: dict[str, object] = {"__init__": first_init, "__repr__": represent, "__eq__": equal, "__hash__": None}
    methods |= {name: _Introspection(name, defaults, options) for name in _INTROSPECTED}
    methods["__match_args__"] = () if "kw_only" in options else names
    if "frozen" in options:
        methods |= {"__hash__": lambda self: hash(values(self)), "__setattr__": _refuse_set, "__delattr__": _refuse_del}
        methods |= {"__getstate__": _state, "__setstate__": _set_state}
    return methods


def _option(default: object, name: str) -> bool:
    return not isinstance(default, _Field) or bool(default.options.get(name, True))


def _init(cls: type, names: tuple[str, ...], defaults: dict[str, Any], options: dict[str, bool]) -> Any:
    """Compile ``__init__``: a loop over the fields would take several times as long for each object."""
    scope: dict[str, Any] = {"MISSING": _MISSING, "set_": object.__setattr__}
    parameters, lines = ["self", "*"] if "kw_only" in options and names else ["self"], ["pass"]
    for name in names:
        default, value = defaults.get(name, _MISSING), name
        given = default.options if isinstance(default, _Field) else {"default": default}
        if "default_factory" in given:
            scope[f"default_{name}"] = given["default_factory"]
            parameters.append(f"{name}=MISSING")
            value = f"default_{name}() if {name} is MISSING else {name}"
        elif given.get("default", _MISSING) is _MISSING:
            parameters.append(name)
        else:
            scope[f"default_{name}"] = given["default"]
            parameters.append(f"{name}=default_{name}")
        lines.append(f"set_(self, {name!r}, {value})" if "frozen" in options else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines), scope)  # noqa: S102  names of fields only
    made = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


class _Introspection:
    """An attribute of a class that the original is asked for when somebody reads it."""

    def __init__(self, name: str, defaults: dict[str, Any], options: dict[str, bool]) -> None:
        self._name = name
        self._defaults = defaults
        self._options = options

    def __get__(self, instance: object, cls: type) -> object:
        import inspect

        body = {"__module__": cls.__module__, "__annotations__": cls.__annotations__, "__doc__": "", **self._defaults}
        original = _original(type(cls.__name__, (), body), {**self._options, "slots": False})
        known = {"__signature__": inspect.signature(original), **vars(original)}
        setattr(cls, self._name, known[self._name])
        return known[self._name]


_INTROSPECTED: Final = ("__dataclass_fields__", "__dataclass_params__", "__signature__")


def _refuse_set(self: object, name: str, value: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_del(self: object, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: object) -> list[object]:
    return [getattr(self, name) for name in _FIELDS[type(self)]]


def _set_state(self: object, state: list[object]) -> None:
    for name, value in zip(_FIELDS[type(self)], state, strict=True):
        object.__setattr__(self, name, value)
