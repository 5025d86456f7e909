"""Templates of charts: which images are literal, which ones are not certain, and that none is omitted."""

from __future__ import annotations

import pytest
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.sources.yaml.chart_templates import chart_images

POD = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    "


def found(text: str) -> list[tuple[str, str]]:
    return [(image.text, image.role) for image in chart_images(text)]


@each(
    ("value", "text"),
    [
        ("busybox:1.36", "busybox:1.36"),
        ('"busybox:1.36"', "busybox:1.36"),
        ("'busybox:1.36' # why", "busybox:1.36"),
        ("busybox:1.36\t# why", "busybox:1.36"),
        ("busybox:1.36 {{/* why */}}", "busybox:1.36"),
        ("{{/* why */}}busybox:1.36", "busybox:1.36"),
        ("&main busybox:1.36", "busybox:1.36"),
        ("!!str 'busybox'", "busybox"),
        ("\n      busybox:1.36", "busybox:1.36"),
        ("busybox:1.36\n    {{- if .a }}\n    tty: true\n    {{- end }}", "busybox:1.36"),
        ("busybox:1.36\n    {{- toYaml .a | nindent 4 }}", "busybox:1.36"),
        ("busybox:1.36\r\n    tty: true", "busybox:1.36"),
    ],
)
def test_literal_image_of_a_container_is_a_reference(value: str, text: str) -> None:
    whole = f"{POD}image: {value}\n"
    (image,) = chart_images(whole)
    assert (image.text, image.resolved, image.role, image.reason) == (text, text, "external", None)
    assert image.target is not None
    assert image.target.whole is not None
    assert whole[slice(*image.target.whole)] == text
    assert not image.target.unpinnable


@pytest.mark.parametrize(
    "image", ["\n        reference: {}", "\n        pullPolicy: Always\n        reference: {}", " {{reference: {}}}"]
)
@pytest.mark.parametrize(("text", "role"), [("models:1", "external"), ("{{ .Values.models }}", "unresolved")])
def test_image_of_a_volume_is_its_reference(image: str, text: str, role: str) -> None:
    volume = f"volumes:\n  - name: a\n    image:{image.format(text)}\n"
    assert found(f"kind: Pod\nspec:\n  {volume}") == [(text, role)]
    assert found(f"kind: Pod\nspec:\n  other:\n  - image:\n      reference: {text}\n") == []


@each(
    ("value", "text"),
    [
        ("{{ .Values.image }}", "{{ .Values.image }}"),
        ('"{{ .Values.image }}:1"', "{{ .Values.image }}:1"),
        ("busybox:{{ .Values.tag }}", "busybox:{{ .Values.tag }}"),
        ("busy{{/* why */}}box", "busy{{/* why */}}box"),
        ('{{ printf "a # %s" .b }} # why', '{{ printf "a # %s" .b }}'),
        ("busybox{{ if .a }}:1{{ end }}", "busybox{{ if .a }}:1{{ end }}"),
        ("busybox\n    {{- .tag }}", "busybox"),
        ("busybox\n      :1", "busybox"),
        ("'busybox\n      :1'", "busybox"),
        ('"busy\\x62ox"', "busy\\x62ox"),
        ("'busybox':1", "busybox"),
        ("$(IMAGE)", "$(IMAGE)"),
        ("*main", "*main"),
        (">-\n      busybox", ">-"),
        ("busybox # {{ if", "busybox # {{ if"[:7]),
    ],
)
def test_image_that_is_not_certainly_all_there_is_unresolved(value: str, text: str) -> None:
    expected = "external" if value == "busybox # {{ if" else "unresolved"
    assert found(f"{POD}image: {value}\n") == [(text, expected)]


@each("value", ["", '""', "''", "null", "~", "{}", " # why", "\n      name: a", "\n    - a"])
def test_empty_value_is_not_an_image(value: str) -> None:
    assert found(f"{POD}image: {value}\n    tty: true\n") == []


def test_comments_are_not_read() -> None:
    assert (
        found("# image: a\n{{/*\nimage: b\n*/}}\n{{- /*\nimage: c */ -}}\n{{ `\nimage: d` }}\nx: y # image: e\n") == []
    )


def test_block_scalar_is_unresolved_to_its_end() -> None:
    text = "data:\n  a: |\n    image: b\n{{- if .c }}\n    image: d\n{{- end }}\n  image: e\n"
    assert found(text) == [("b", "unresolved"), ("d", "unresolved"), ("e", "external")]
    assert found("- |-\n  image: a\n- image: b\n") == [("a", "unresolved"), ("b", "external")]


def test_image_behind_an_action_that_never_ends_is_unresolved() -> None:
    assert found("image: a\n{{ .b\nimage: c\n") == [("a", "external"), ("c", "unresolved")]


def test_image_in_brackets_is_found() -> None:
    flow = 'spec:\n  containers: [{name: a, image: b:1}, {image: \'c\', x: {}}, {"image":"d"}, {image: {{ .e }} }]\n'
    assert found(flow) == [("b:1", "external"), ("c", "external"), ("d", "external"), ("{{ .e }}", "unresolved")]
    assert found('{"containers": [\n  {\n    "image": "a:1",\n    "name": "b"\n  }\n]}\n') == [("a:1", "external")]


@each(
    ("text", "role"),
    [
        ("image: a:1\n", "external"),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  image: a:1\n", "unresolved"),
        ("{{ if .x }}\nkind: ConfigMap\n{{ else }}\nkind: Pod\n{{ end }}\ncontainers:\n- image: a:1\n", "external"),
        ("kind: ConfigMap\n---\ncontainers:\n- image: a:1\n", "external"),
        ("apiVersion: apps/v1\nkind: Deployment\nspec:\n  image: a:1\n", "unresolved"),
        ("apiVersion: batch/v1\nkind: Job\nspec:\n  initContainers:\n  {{- if .x }}\n  - image: a:1\n", "external"),
        ("apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nspec:\n  image: a:1\n", "external"),
        ("apiVersion: cluster.x-k8s.io/v1\nkind: M\nspec:\n  image: a:1\n", "unresolved"),
        ("apiVersion: {{ .v }}\nkind: A\nspec:\n  image: a:1\n", "external"),
        ("apiVersion: example.com/v1\nkind: A\nspec:\n  image: ./a.png\n", "unresolved"),
        ("apiVersion: example.com/v1\nkind: A\nspec:\n  image: A B\n", "unresolved"),
        ("apiVersion: v1\nkind: Pod\nspec:\n  volumes:\n  - rbd:\n      image: a\n", "unresolved"),
        ("{{ .key }}image: a\n", "unresolved"),
        (POD + "image: NGINX\n", "invalid"),
    ],
)
def test_position_decides_whether_a_literal_is_an_image(text: str, role: str) -> None:
    assert [found_role for _, found_role in found(text)] == [role]


def test_digest_is_added_only_for_containers() -> None:
    container, other = chart_images("containers:\n- image: a:1\n"), chart_images("image: a:1\n")
    assert [image.target.unpinnable != "" for image in (*container, *other) if image.target] == [False, True]


PARTS = st.sampled_from([
    "image: ", "image", ": ", "\n", "  ", "- ", "a:1", "{{ .b }}", "{{- ", " -}}", "{{/* ", " */}}", "|", "'", '"',
    "#", " # ", "[", "{", ", ", "}", "]", "\r", "---", "kind: Pod", "containers:", "&x ", "*x", "\\", "$", "\0",
    "\u2028",
])  # fmt: skip


@given(st.lists(PARTS).map("".join))
def test_positions_are_exact_and_unique_for_any_input(text: str) -> None:
    images = chart_images(text)
    places = [(image.line, image.column) for image in images]
    assert places == sorted(set(places))
    for image in images:
        assert image.text
        if image.target is not None and image.target.whole is not None:
            assert text[slice(*image.target.whole)] == image.text == image.resolved
            assert not set(image.text) & set("{}$\n ")


@given(st.sampled_from(["a:1", "'a:1'", '"a:1"', "{{ .a }}", "a:{{ .b }}"]), st.lists(st.sampled_from([
    "x: y\n", "{{- if .a }}\n", "{{ end }}\n", "# c\n", "\n", "  z: |\n", "kind: ConfigMap\n", "---\n", "{{/* c */}}\n",
])))  # fmt: skip
def test_image_on_its_own_line_is_never_omitted(value: str, before: list[str]) -> None:
    assert found(f"{''.join(before)}a:\n- image: {value}\n")[-1][0] == value.strip("'\"")


@each(
    "part",
    [
        "image: a\n",
        "image: {{\n",
        "image:\n",
        "- ",
        "{image: a, ",
        " ",
        "image: a\n\n{{- if }}\n",
        "&a ",
        "image: a\n#\n",
    ],
)
def test_time_grows_with_the_length(part: str) -> None:
    assert_linear(lambda size: "image: " + part * size, chart_images, steps=2)
