from __future__ import annotations

from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.sources.traces import is_probed, trace_of

FOUND = [
    ("image: nginx:1.2 # openapi: my", "image: nginx:1.2"),
    ("  image: nginx:1.2", "image: nginx:1.2"),
    ('image    = "alpine:3"', "image: alpine:3"),
    ('image = "ghcr.io/a/b"', "image: ghcr.io/a/b"),
    ('"image": "redis:7"', "image: redis:7"),
    ('{"a": 1, "image":"redis:7"}', "image: redis:7"),
    ("Image=docker.io/library/x:1", "image: docker.io/library/x:1"),
    ("POSTGRES_IMAGE=postgres:16", "image: postgres:16"),
    ('export IMAGE="reg.local:5000/x/y"', "image: reg.local:5000/x/y"),
    ("imageName: ghcr.io/cnpg/pg:16", "image: ghcr.io/cnpg/pg:16"),
    ("custom-image: acme/x:1", "image: acme/x:1"),
    ("<image>openjdk:17</image>", "image: openjdk:17"),
    ("image: nginx:${V}", "image: nginx:$"),
    ('image: "a/b:{{ v }}"', "image: a/b:{{"),
    ("image: 'docker://x/y:1'", "image: x/y:1"),
    ("image: x@sha256:aa", "image: x@sha256:aa"),
    ("FROM nginx:1", "FROM nginx:1"),
    ("FROM golang AS build", "FROM golang"),
    ("FROM nginx\nRUN x", "FROM nginx"),
    ("FROM {{ base }}\nRUN x", "FROM …"),
    ("FROM nginx:{{ v }}", "FROM nginx:{{"),
    ("FROM --platform=linux/amd64 a/b:1 AS x", "FROM a/b:1"),
    ("\tdocker build .", "docker build"),
    ("ExecStart=/usr/bin/docker run --rm x", "docker run"),
    ("sudo docker -H tcp://x run y", "docker run"),
    ("docker --log-level x run y", "docker run"),
    ("podman pull x", "podman pull"),
    ("docker image pull x", "docker pull"),
]

NOTHING = [
    "swagger: '2.0'\ndefinitions:\n  image: ubuntu:latest",
    '{"openapi": "3.0.1", "example": {"image": "ubuntu:latest"}}',
    "openapi: 3.1.0\ndescription: docker run x",
    "image: logo.png",
    "image: example.com/logo.png",
    "image: example.com/a.svg?x=1",
    "image: disk:1.qcow2",
    "# docker run x",
    "  // image: nginx:1",
    "image: string",
    "SELECT a\nFROM users\n",
    "docker is fine",
    "docker-compose run x",
    "image: https://example.com/x",
    "background-image: url(x)",
    "images: 3",
    "the image: foo",
    '"image": "/img/x"',
    'image = "nginx"',
    "image: u:secret@r.io/x:1",
]


@each(("text", "found"), FOUND)
def test_trace_of_an_image_is_found_with_its_line(text: str, found: str) -> None:
    trace = trace_of(f"first\n{text}\nlast\n")
    assert trace is not None
    assert trace == (2, found)


@each("text", NOTHING)
def test_trace_of_a_file_without_images_is_none(text: str) -> None:
    assert trace_of(f"first\n{text}\nlast\n") is None


def test_trace_of_a_plain_name_needs_yaml() -> None:
    text = "web:\n  - image: redis  # the cache\n"
    assert trace_of(text) is None
    assert trace_of(text, yaml=True) == (2, "image: redis")


def test_trace_of_several_is_the_first_outside_of_comments() -> None:
    assert trace_of("# image: a:1\nimage: x.png\ndocker run\nimage: b:1\n") == (3, "docker run")


def test_trace_of_a_long_line_is_found_anywhere_in_it() -> None:
    for before in (0, 100, 299, 300, 301, 599, 600, 601, 5000):
        text = "{" + '"images": 1,' * (before // 12) + " " * (before % 12) + '"image": "redis:7"}'
        assert trace_of(text) == (1, "image: redis:7"), before


@given(st.text("image:/@sha256 FROM\n#docker run-'\"=.{$", max_size=200), st.booleans())
def test_trace_of_any_input_is_a_line_of_it(text: str, yaml: bool) -> None:
    trace = trace_of(text, yaml=yaml)
    assert trace is None or (1 <= trace.line <= text.count("\n") + 1 and trace.text)


@each(
    "part",
    [
        "image",
        "image: ",
        "image.",
        "image: a.",
        "FROM ",
        "docker ",
        "docker -a ",
        " -a",
        "# docker run\n",
        "image: a\n",
        "- ",
    ],
)
def test_trace_of_takes_linear_time(part: str) -> None:
    assert_linear(lambda size: "docker image: FROM " + part * size, lambda text: trace_of(text, yaml=True), steps=3)


@each(
    ("path", "probed"),
    [
        ("a/Makefile", True),
        ("Jenkinsfile", True),
        ("deploy.sh", True),
        ("docs.d/main.tf", True),
        (".env", True),
        (".c", True),
        ("README", False),
        ("README.md", False),
        ("LICENSE", False),
        ("x/main.go", False),
        ("X.PNG", False),
        ("uv.lock", False),
        ("package-lock.json", False),
        ("pnpm-lock.yaml", False),
        ("changelogs/changelog.yaml", False),
        ("go.mod", False),
        ("gomod", True),
        (".imgref.toml", False),
    ],
)
def test_is_probed_leaves_out_documentation_programs_and_media(path: str, probed: bool) -> None:
    assert is_probed(path) is probed
