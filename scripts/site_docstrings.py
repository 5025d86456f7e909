"""Turns the docstrings into Markdown for the API reference: doctests into fenced blocks, Sphinx roles into code."""

from __future__ import annotations

import re

import griffe

DOCTEST = re.compile(r"(?m)^(?P<indent>[ ]*)>>> .*(?:\n(?P=indent).*\S.*)*")
ROLE = re.compile(r":\w+:`~?([^`]+)`")


class Docstrings(griffe.Extension):
    """Rewrites every docstring that is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Rewrite the docstring of a class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """Rewrite the docstrings of a package and its modules."""
        for module in (pkg, *pkg.modules.values()):
            self.on_object(obj=module)
            if module is not pkg:
                self.on_package(pkg=module)


def markdown(docstring: str) -> str:
    """Return a docstring as Markdown."""
    if "```pycon" in docstring:
        return docstring
    fenced = DOCTEST.sub(lambda found: f"{found['indent']}```pycon\n{found[0]}\n{found['indent']}```", docstring)
    return ROLE.sub(r"`\1`", fenced)
