"""Runs the programs in the documentation with doubles of the functions that need a registry or a file."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from importlib import import_module
from inspect import isclass
from typing import Any
from unittest.mock import MagicMock, create_autospec, patch

OUTSIDE = ("imgref.registry", "imgref.archive")
"""Packages whose functions and clients need a registry or a file."""


def program_problems(text: str) -> Iterator[str]:
    """Report the first thing that is wrong with a program: its syntax, a name, or arguments that do not fit."""
    try:
        tree = ast.parse(text)
        with ExitStack() as stack, redirect_stdout(io.StringIO()):
            for module, name in _imported(tree):
                original = getattr(import_module(module), name)
                stack.enter_context(patch(f"{module}.{name}", _double(original)))
            exec(compile(tree, "example", "exec"), {"__name__": "example"})
    except Exception as error:  # noqa: BLE001  whatever the program raises is what is wrong with it
        yield f"{type(error).__name__}: {error}"


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith(OUTSIDE):
            yield from ((node.module, alias.name) for alias in node.names if _is_outside(node.module, alias.name))


def _is_outside(module: str, name: str) -> bool:
    value = getattr(import_module(module), name)
    return not isclass(value) or hasattr(value, "__enter__")


def _double(original: Any) -> MagicMock:  # noqa: ANN401
    """Return a double that accepts only what the original accepts, and returns doubles of what it returns."""
    double: MagicMock = create_autospec(original)
    if isclass(original):
        instance = double.return_value
        instance.__enter__.return_value = instance
        for name in (name for name, made in vars(original).items() if isinstance(made, classmethod)):
            getattr(double, name).return_value = instance
        return double
    returned = _returned(original)
    arguments: tuple[Any, ...] = getattr(returned, "__args__", ())
    if getattr(returned, "__origin__", None) in (list, tuple):
        double.return_value = [create_autospec(arguments[0], instance=True)]
    elif isclass(returned):
        double.return_value = create_autospec(returned, instance=True)
        if hasattr(returned, "__enter__"):
            double.return_value.__enter__.return_value = double.return_value
    return double


def _returned(function: Any) -> Any:  # noqa: ANN401
    """Return the annotation of what a function returns; those of its arguments may be for the type checker alone."""
    annotation = function.__annotations__.get("return")
    return eval(annotation, function.__globals__) if isinstance(annotation, str) else annotation
