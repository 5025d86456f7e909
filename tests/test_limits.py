"""How large functions and modules may be, and how many parameters a function may have, with the few exceptions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest
from syntax import MODULES, tree
from tables import assert_each

LINES_OF_FUNCTION: Final = 40
"""Without the docstring, which documents each parameter and error of a public function."""

LINES_OF_MODULE: Final = 350
PARAMETERS: Final = 5

_BY_KEYWORD: Final = "a public function, whose options are passed by keyword"
_ONE_REFERENCE: Final = "each parameter is another fact about one reference, and most callers pass a few"

MANY_PARAMETERS: Final = {
    "check.settings.read_policy": _BY_KEYWORD,
    "ci._tags.tags_of_build": _BY_KEYWORD,
    "registry.release.plan.plan_release": _BY_KEYWORD,
    "registry.transfer.moves.copy": _BY_KEYWORD,
    "registry.transfer.moves.pull": _BY_KEYWORD,
    "registry.transfer.moves.push": _BY_KEYWORD,
    "sources.collected.Collected.add": _ONE_REFERENCE,
    "sources.yaml.collector.Found.image": _ONE_REFERENCE,
    "sources.yaml.collector.Found.add": _ONE_REFERENCE,
    "sources.yaml.helm._put": _ONE_REFERENCE,
    "update.moving._young_digests": "the answers that a plan of several steps has collected so far",
    "update.pinning.plan_pin": _BY_KEYWORD,
}
"""Functions with more parameters than the limit, and why; the callback of a command has one for each option."""

LONG_MODULES: Final = {
    "reference._image_reference": "one value with all its methods",
    "sources.dockerfile.instructions": "one row or function for each instruction",
}
"""Modules that are somewhat longer than the limit, and why."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    """Return all functions of a module, methods and inner functions too, with their full names."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{prefix}.{child.name}", child
            yield from functions(child, f"{prefix}.{child.name}")
        elif isinstance(child, ast.ClassDef):
            yield from functions(child, f"{prefix}.{child.name}")
        else:
            yield from functions(child, prefix)


@cache
def functions_of(module: str) -> dict[str, Function]:
    return dict(functions(tree(MODULES[module]), module))


def lines(function: Function) -> int:
    """Return the number of lines from ``def`` to the end, without the docstring."""
    assert function.end_lineno is not None
    first = function.body[0]
    docstring = 0
    if ast.get_docstring(function, clean=False) is not None:
        assert first.end_lineno is not None
        docstring = first.end_lineno - first.lineno + 1
    return function.end_lineno - function.lineno + 1 - docstring


def parameters(function: Function) -> int:
    """Return the number of parameters, without ``self`` and ``cls``."""
    given = function.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    own = names[1:] if names[:1] in (["self"], ["cls"]) else names
    return len(own) + (given.vararg is not None) + (given.kwarg is not None)


def is_command(name: str) -> bool:
    """Return whether a function is the callback of a command, whose options are its parameters."""
    return name.startswith("cli.") and name.endswith(".command")


def within_the_limits(module: str) -> None:
    """Check the functions of a module, and its length."""
    found = functions_of(module)
    assert {name: count for name, one in found.items() if (count := lines(one)) > LINES_OF_FUNCTION} == {}
    many = {name: count for name, one in found.items() if (count := parameters(one)) > PARAMETERS}
    assert {name: count for name, count in many.items() if not is_command(name) and name not in MANY_PARAMETERS} == {}
    if module not in LONG_MODULES:
        assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= LINES_OF_MODULE


def test_functions_and_modules_are_within_the_limits() -> None:
    assert_each(MODULES, within_the_limits)


def test_an_exception_is_needed() -> None:
    found = {name: one for module in MODULES for name, one in functions_of(module).items()}
    assert {name for name in MANY_PARAMETERS if name not in found or parameters(found[name]) <= PARAMETERS} == set()
    long = {name for name, path in MODULES.items() if len(path.read_text().splitlines()) > LINES_OF_MODULE}
    assert LONG_MODULES.keys() - long == set()


@pytest.mark.parametrize(
    ("code", "measured"),
    [
        ("def f(): pass", (1, 0)),
        ('def f(a):\n    """One\n\n    two."""\n    return a\n', (2, 1)),
        ("def f(self, a, /, b, *c, d, **e):\n    pass\n", (2, 5)),
    ],
)
def test_lines_and_parameters_are_counted(code: str, measured: tuple[int, int]) -> None:
    ((_, function),) = functions(ast.parse(code), "module")
    assert (lines(function), parameters(function)) == measured
