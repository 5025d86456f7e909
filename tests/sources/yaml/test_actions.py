"""The actions of templates: what is literal beside them, and what they render behind a value."""

from __future__ import annotations

import pytest
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.sources.yaml.actions import MASK, is_continued, mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a{{ .b }}c", "a????????c"),
        ('{{ "}}" }}c', "??????????c"),
        ("{{ `}}\n` }}c", "??????\n????c"),
        ("{{ '}' }}c", "?????????c"),
        ("{{/* {{ }} */}}c", " " * 15 + "c"),
        ("{{- /* a\nb */ -}}c", " " * 8 + "\n" + " " * 8 + "c"),
        ("a\r\nb\rc", "a\n\nb\nc"),
    ],
)
def test_mask_replaces_actions_and_comments(text: str, shown: str) -> None:
    assert mask(text) == (shown.replace("?", MASK), len(text))


@pytest.mark.parametrize("text", ["a {{ b", 'a {{ "}}', "a {{/* b }}", "a {{/* b */ c }} d */}}"])
def test_mask_stops_at_an_action_that_does_not_end(text: str) -> None:
    assert mask(text) == (text, 2)


@given(st.text("a{}-/*\"'`\\\n "))
def test_mask_keeps_all_positions(text: str) -> None:
    masked = mask(text)
    assert len(masked.text) == len(text)
    assert all(shown in {char, MASK, " "} for shown, char in zip(masked.text, text, strict=True))


@each(
    ("behind", "continued"),
    [
        ("", False),
        ("\n  b: c", False),
        ("\n{{ .tag }}", False),
        ("\n{{- if .a }}\n  b: c", False),
        ("\n{{- if .a }} # why\n", False),
        ("\n{{- /* why */}}\n", False),
        ("\n{{- $x := 1 }}\n", False),
        ("\n{{- end }}\n{{- .tag }}", False),
        ("\n{{- toYaml .a | nindent 8 }}\n", False),
        ("\n{{- end -}}\n", False),
        ("\n{{- .tag }}", True),
        ("\n{{- if .a }}:1{{ end }}", True),
        ("\n{{- if .a }} {{ .tag }}{{ end }}", True),
        ("\n{{- if .a -}}\n:1", True),
        ("\n{{- end -}}\n{{ .tag }}", True),
        ("\n{{- .tag /* | nindent 8 */ }}", True),
        ("\n{{- if", True),
    ],
)
def test_value_is_continued_by_what_a_template_renders_without_space(behind: str, continued: bool) -> None:
    assert is_continued(f"image: a{behind}", len("image: a")) is continued


@pytest.mark.parametrize("part", ["{{ a }}", "{{", "{{/*", '{{ "', "{{- /* */ -}}\n", "}} ", " "])
def test_time_grows_with_the_length(part: str) -> None:
    assert_linear(lambda size: part * size, lambda text: (mask(text), is_continued(text, 0)), steps=2)
