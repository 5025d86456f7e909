"""Dataclasses that are made late are the same as those of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref._utils import dataclasses as ours


def definitions(module: Any) -> dict[str, type]:
    """Define classes with the ``dataclass`` and ``field`` of a module."""
    dataclass, field = module.dataclass, module.field

    @dataclass(frozen=True, slots=True)
    class Point:
        """A point."""

        x: int
        y: object = 2

        @property
        def sum(self) -> Any:
            return (self.x, self.y)

    @dataclass(frozen=True, slots=True)
    class Named:
        name: object
        values: dict[str, int] = field(default_factory=dict, repr=False)
        note: object = field(default=None, compare=False)

    @dataclass(frozen=True, slots=True)
    class Checked:
        text: Any
        length: object = 0

        def __post_init__(self) -> None:
            object.__setattr__(self, "length", len(str(self.text)))

        def __repr__(self) -> str:
            return "checked"

    @dataclass(slots=True)
    class Changing:
        items: list[object] = field(default_factory=list)
        last: object = None

    @dataclass(frozen=True, slots=True)
    class Same:
        name: Any

        def __eq__(self, other: object) -> bool:
            return True

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Keywords:
        y: object
        name: object = 1

    @dataclass(frozen=True, slots=True, init=False)
    class Own:
        x: object

        def __init__(self, *x: object) -> None:
            object.__setattr__(self, "x", x)

    @dataclass(frozen=True, slots=True)
    class Empty:
        pass

    @dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        x: int
        known: ClassVar[int] = 1

    return {name: value for name, value in locals().items() if isinstance(value, type)}


OURS, THEIRS = definitions(ours), definitions(dataclasses)
VALUES = st.integers(0, 2) | st.sampled_from(["a", ""])
ARGUMENTS = st.tuples(
    st.lists(VALUES, max_size=3), st.dictionaries(st.sampled_from(["x", "y", "name", "note", "last", "z"]), VALUES)
)


def outcome(do: Callable[[], object]) -> object:
    """Return what is returned or raised, without what differs between two definitions of one class."""
    try:
        result = do()
    except (TypeError, AttributeError) as error:
        return type(error), str(error)
    return repr(result) if dataclasses.is_dataclass(result) else result


def same(do: Callable[[type], object], name: str) -> None:
    assert outcome(lambda: do(OURS[name])) == outcome(lambda: do(THEIRS[name]))


@given(st.sampled_from(sorted(OURS)), ARGUMENTS, ARGUMENTS)
def test_objects_are_made_compared_and_shown_as_the_originals(
    name: str, one: tuple[list[object], dict[str, object]], other: tuple[list[object], dict[str, object]]
) -> None:
    (args, kwargs), (others, other_kwargs) = one, other
    same(lambda cls: cls(*args, **kwargs), name)
    same(lambda cls: cls(*args, **kwargs) == cls(*others, **other_kwargs), name)
    same(lambda cls: cls(*args, **kwargs) < cls(*others, **other_kwargs), name)
    same(lambda cls: cls(*args, **kwargs) == (*args,), name)
    same(lambda cls: len({cls(*args, **kwargs), cls(*others, **other_kwargs)}), name)
    for module in (ours, dataclasses):
        same(lambda cls, module=module: module.replace(cls(*args), **other_kwargs), name)  # type: ignore[misc]
    same(lambda cls: dataclasses.asdict(cls(*args, **kwargs)), name)
    same(lambda cls: copy.copy(cls(*args, **kwargs)) == cls(*args, **kwargs), name)


@pytest.mark.parametrize("name", OURS)
def test_class_is_described_as_the_original(name: str) -> None:
    for do in (
        lambda cls: [(one.name, one.type, one.default, one.compare, one.repr) for one in dataclasses.fields(cls)],
        lambda cls: str(cls.__dataclass_params__),
        lambda cls: str(inspect.signature(cls)).replace("'", ""),
        lambda cls: cls.__match_args__,
        lambda cls: cls.__qualname__,
        lambda cls: cls.__slots__,
        lambda cls: cls.__doc__ if name == "Point" else None,
    ):
        same(do, name)


@pytest.mark.parametrize("name", {*OURS} - {"Empty", "Keywords"})
def test_frozen_fields_cannot_be_changed(name: str) -> None:
    for do in (
        lambda cls: setattr(cls(*range(len(dataclasses.fields(cls)))), cls.__match_args__[0], 3),
        lambda cls: delattr(cls(*range(len(dataclasses.fields(cls)))), cls.__match_args__[-1]),
    ):
        same(do, name)


@ours.dataclass(frozen=True, slots=True)
class Sent:
    """A value for other processes."""

    name: str
    where: tuple[int, ...] = ()


def test_values_can_be_sent_to_other_processes() -> None:
    assert pickle.loads(pickle.dumps(Sent("a", (1, 2)))) == Sent("a", (1, 2))


def test_subclass_by_the_original_has_all_fields() -> None:
    below = dataclasses.make_dataclass("Below", [("z", int, 3)], bases=(OURS["Point"],), frozen=True)
    assert repr(below(1)).endswith("Below(x=1, y=2, z=3)")
