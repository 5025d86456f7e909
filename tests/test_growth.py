"""The measure of linear time passes what is linear and fails what is not."""

from __future__ import annotations

import re

import pytest
from growth import assert_linear

from imgref.sources.dockerfile.reader import read_dockerfile


def test_assert_linear_of_a_linear_function_passes() -> None:
    assert_linear(lambda size: "a" * size, lambda text: [ord(character) for character in text])


@pytest.mark.parametrize(("pattern", "smallest"), [("a*b", 400), ("a*a*b", 10)])
def test_assert_linear_of_a_pattern_that_backtracks_fails(pattern: str, smallest: int) -> None:
    with pytest.raises(AssertionError, match="size"):
        assert_linear(lambda size: "a" * size, re.compile(pattern).search, smallest)


@pytest.mark.parametrize("line", ["RUN <<E\nE\n", "RUN <<E\n", "RUN a \\\n", "FROM a AS b\n", "ARG A=$A\n", "# a\n"])
def test_read_dockerfile_of_many_lines_takes_linear_time(line: str) -> None:
    assert_linear(lambda size: "FROM a\n" + line * size, read_dockerfile, 60, 3)
