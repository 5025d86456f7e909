"""The next page that a ``Link`` header points to, as RFC 8288 reads it."""

from __future__ import annotations

import pytest
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.registry.links import next_target

NEXT = "/v2/a/tags/list?last=b&n=2"


@each(
    ("headers", "target"),
    [
        ([], None),
        ([f'<{NEXT}>; rel="next"'], NEXT),
        ([f"<{NEXT}>;rel=next"], NEXT),
        ([f"<{NEXT}> ; REL = NEXT"], NEXT),
        ([f'<{NEXT}>; title="a, <b>; c \\" d"; rel="last next"'], NEXT),
        (['</a>; rel="first", <https://h/x?a,b>; rel="next"; title=x'], "https://h/x?a,b"),
        (['</a>; rel="first"', f'<{NEXT}>; rel="next"'], NEXT),
        (['</a>; rel="first"'], None),
        (['</a>; rel="prev next-archive"'], None),
        (['</a>; rel="first"; rel="next"'], None),
        ([f"<{NEXT}>; rel=next", f"<{NEXT}>; rel=next"], NEXT),
        (["<>; rel=next"], ""),
    ],
)
def test_next_target_of_readable_headers_is_the_next_page(headers: list[str], target: str | None) -> None:
    assert next_target(headers) == target


@each(
    "header",
    [
        "",
        NEXT,
        f"<{NEXT}>",
        f'<{NEXT}>; title="x"',
        f"<{NEXT}>; rel",
        f'<{NEXT}>; rel=""',
        f'<{NEXT}>; rel="next',
        f'<{NEXT}; rel="next"',
        f'<{NEXT}>, rel="next"',
        f'<{NEXT}>; rel="next",',
        f'<{NEXT}>; rel="next" trailing',
        '</a>; rel="next", </b>; rel="next"',
        "garbage",
        "<" * 100,
    ],
)
def test_next_target_of_unreadable_headers_is_an_error(header: str) -> None:
    with pytest.raises(ValueError, match=r"link|pages"):
        next_target([header])


@given(st.text(alphabet='<>;,=" \\\trelnxtRELNXT/?a', max_size=60))
def test_next_target_of_any_header_returns_or_raises_value_error(header: str) -> None:
    try:
        target = next_target([header])
    except ValueError:
        return
    assert target is None or "next" in header.lower()


@pytest.mark.parametrize("part", ["<", "<>", "<a>;", '<a>; a="', "<a>; rel=first,", "; ", '\\"', " "])
def test_next_target_of_a_long_header_takes_linear_time(part: str) -> None:
    def refused(header: str) -> None:
        with pytest.raises(ValueError, match="link"):
            next_target([header])

    assert_linear(lambda size: part * (size // len(part)), refused)
