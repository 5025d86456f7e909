"""HCL: what is an entry, where values begin, and what happens to text that is not HCL."""

from __future__ import annotations

import pytest
from growth import assert_linear
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import each

from imgref.sources.hcl.nodes import Node, Object, Template, walk
from imgref.sources.hcl.parser import parse, parse_template
from imgref.sources.hcl.values import Values, with_terraform_variables


def strings(text: str) -> dict[str, str]:
    """Return the strings of a file, by the dotted keys that lead to them, each as it is written."""
    return {
        ".".join((*path, entry.key or "?")): text[entry.value.start : entry.value.end]
        for path, entry in walk(parse(text).root)
        if isinstance(entry.value, Template)
    }


@each(
    ("text", "expected"),
    [
        ('a = "b"', {"a": "b"}),
        ('a="b" # c\nd = "e" // f\n/* g = "h" */i = "j"', {"a": "b", "d": "e", "i": "j"}),
        ('a "b" c {\n  d = "e"\n}', {"a.d": "e"}),
        ('a { d = "e" }', {"a.d": "e"}),
        ('a = { "b" : "c", d = "e"\n f = "g" }', {"a.b": "c", "a.d": "e", "a.f": "g"}),
        ('a = [{ b = "c" },\n { b = 1 },]', {"a.b": "c"}),
        ('a = f({ b = "c" }, g([{ d = "e" }]))', {"a.f().b": "c", "a.f().g().d": "e"}),
        ('a = { for k in x : k => { b = "c" } }', {"a.b": "c"}),
        ('a = {\n (local.x) = {\n b = "c"\n }\n}', {"a.b": "c"}),
        ('a = x ? { b = "c" } : {}', {"a.b": "c"}),
        ('a = "b ${f("c}")} d"\ne = "f"', {"a": 'b ${f("c}")} d', "e": "f"}),
        ('a = "\\"{"\nb = "$${c" \n d = "%%{"', {"a": '\\"{', "b": "$${c", "d": "%%{"}),
        ('a = <<E\nb = "c"\nE\nd = "e"', {"a": 'b = "c"\n', "d": "e"}),
        ('a = <<-E\n  b\n  E\nd = "e"', {"a": "  b\n", "d": "e"}),
        ("a = <<E\r\nb\r\nE\r\n", {"a": "b\r\n"}),
        ('a = x\n["b"]\nc = "d"', {"c": "d"}),
        ('"a" "b" {\n c = "d"\n}', {"c": "d"}),
    ],
)  # fmt: skip
def test_parse_finds_the_strings_by_their_keys(text: str, expected: dict[str, str]) -> None:
    document = parse(text)
    assert not document.errors
    assert strings(text) == expected


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ('a = "b\nc = "d"', 4, {"a": "b", "c": "d"}),
        ('a { b = "c"', 2, {"a.b": "c"}),
        ('} a = "b"', 0, {"a": "b"}),
        ('a = [}\nb = "c"', 5, {}),
        ("a = <<E\nb\n", 4, {"a": "b\n"}),
        ('a = "b"\n/* c = "d"', 8, {"a": "b"}),
        ('a = "${b"', 8, {}),
    ],
)
def test_parse_of_what_is_not_hcl_reports_the_first_error_and_reads_on(
    text: str, at: int, expected: dict[str, str]
) -> None:
    assert [place for place, _ in parse(text).errors] == [at]
    assert {key: value for key, value in strings(text).items() if key in expected} == expected


def test_parse_of_what_is_nested_too_deeply_is_incomplete() -> None:
    document = parse('a = "b"\nc = ' + "[" * 100_000)
    assert document.is_incomplete
    assert document.root.entries[0].key == "a"


VARIABLES = """\
variable "image" {
  type    = string
  default = "nginx:1.27"
}
variable "unset" {
  description = "x"
}
variable "nothing" { default = null }
locals {
  tag    = "3"
  loop   = local.loop
  one    = local.two
  two    = "${local.one}"
  images = { web = "web:${local.tag}", "db-x" = { image = "db" } }
  list   = ["a", "b"]
}
value = """


@each(
    ("expression", "value"),
    [
        ('"alpine"', "alpine"),
        ("12", "12"),
        ('"a:${1}"', "a:1"),
        ("var.image", "nginx:1.27"),
        ('"${var.image}"', "nginx:1.27"),
        ('"r/${var.image}-x"', "r/nginx:1.27-x"),
        ("(var.image)", "nginx:1.27"),
        ("local.images.web", "web:3"),
        ('local.images["web"]', "web:3"),
        ('local.images["db-x"].image', None),
        ("local.list[1]", "b"),
        ("local.list.0", "a"),
        ("local.list[9]", None),
        ("local.loop", None),
        ("local.one", None),
        ("local.images", None),
        ("local.none", None),
        ("var.unset", None),
        ("var.nothing", None),
        ("var", None),
        ("each.value", None),
        ('lower("A")', None),
        ('x ? "a" : "b"', None),
        ('"%{ if x }a%{ endif }"', None),
        ('"${x}"', None),
        ('"$${x}"', "${x}"),
        ('"a\\u0062\\n\\x\\UFFFFFFFF"', "ab\nx\\UFFFFFFFF"),
        ("<<E\na\nE", None),
        ("null", None),
    ],
)
def test_values_of_expressions(expression: str, value: str | None) -> None:
    text = VARIABLES + expression
    document = parse(text)
    node = document.root.get("value")
    assert node is not None
    written = Values(text, with_terraform_variables(document.root)).written(node)
    assert written.resolved == value
    assert bool(written.reason) == (value is None)
    assert text.startswith(written.text, written.start)


def test_values_that_grow_are_not_followed() -> None:
    lines = ['  a0 = "aaaaaaaaaaaaaaaa"', *(f'  a{n} = "${{local.a{n - 1}}}${{local.a{n - 1}}}"' for n in range(1, 30))]
    text = "locals {\n" + "\n".join(lines) + "\n}\nvalue = local.a29"
    root = parse(text).root
    node = root.get("value")
    assert node is not None
    assert Values(text, with_terraform_variables(root)).string(node) is None


def test_template_of_a_part_of_a_text_ends_where_the_part_ends() -> None:
    text = '{"image": "a:${b}", "x": "y"}'
    template = parse_template(text, 11, 17)
    assert (template.start, template.end, template.parts[0]) == (11, 17, "a:")


PARTS = st.sampled_from([
    "a", "=", "{", "}", "[", "]", "(", ")", '"', "${", "%{", "\\", "\n", " ", ",", ":", "=>", "<<E\n", "E\n", "#", "//",
    "/*", "*/", ".", "var.x", "1", "$${", "é", "\x85", "?",
])  # fmt: skip


@given(st.lists(PARTS, max_size=40).map("".join))
@settings(deadline=None)
def test_parse_of_any_text_keeps_to_the_text(text: str) -> None:
    def check(node: Node) -> None:
        assert 0 <= node.start <= node.end <= len(text) + 1  # a quote that is missing at the end is counted

    document = parse(text)
    assert isinstance(document.root, Object)
    for _, entry in walk(document.root):
        check(entry.value)
        Values(text, with_terraform_variables(document.root)).written(entry.value)
    assert all(0 <= at <= len(text) for at, _ in document.errors)


@each(
    "part",
    ["{", "[", "a = ", '"', "${", "/*", "/* ", "<<E\n", "<<-E\nE\n", "a {", "\\", '"${', "$", "\n", "a.",
     "a[0]", "a(", "#",
     " ", "E", "<<", "x = { a = 1 }\n", "a = local.a\n", "\n "],
)  # fmt: skip
@each("before", ["", 'a = "', "a = <<E\n", "a = ["])
def test_parse_of_many_parts_takes_linear_time(part: str, before: str) -> None:
    assert_linear(lambda size: before + part * size, lambda text: list(walk(parse(text).root)), 100, 3)


def test_values_of_many_variables_take_linear_time() -> None:
    def run(text: str) -> None:
        root = parse(text).root
        values = Values(text, with_terraform_variables(root))
        for _, entry in walk(root):
            values.written(entry.value)

    assert_linear(
        lambda size: "locals {\n" + "".join(f"a{n} = local.a{n - 1}\nb{n} = local.m.b{n}\n" for n in range(size)) + "}",
        run, 100, 3,
    )  # fmt: skip
