"""What is masked, what is not, and how long that takes."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tables import each

from imgref._printable import masked, masked_json, printable

DIGEST = "sha256:" + 64 * "0"
SECRET = "S3cr3t"

LEAKS = [
    f"user:{SECRET}@host/app",
    f"user:{SECRET}@host.example",
    f"user:{SECRET}@registry",
    f"user:{SECRET}@host:5000",
    f"user:{SECRET}@[::1]:5000/app",
    f"user:{SECRET}@host/app@{DIGEST}",
    f"user:{SECRET}@host/app:1@sha256:short",
    f"https://user:{SECRET}@host.example/app",
    f"https://{SECRET}@host",
    f"https://{SECRET}:@github.com/acme",
    f"docker-image://user:{SECRET}@host/app",
    f"ghp_{SECRET}0123456789@registry.example/app",
    f"ghp_{SECRET}0123456789@registry.example",
    f"{SECRET}@registry.example:5000",
    f"{SECRET}@registry.example/app",
    f"{SECRET}@localhost/app",
    f"{SECRET}@10.0.0.1/app",
    f"{SECRET}1@registry/app",
    f"user:{SECRET}@$REGISTRY/app",
    f"user:{SECRET}@${{DIGEST_HOST}}/app",
    f"user:{SECRET}@{{{{ sha256_mirror }}}}/app",
    f"user:{SECRET}@${{REGISTRY}}",
    f"{SECRET}@${{REGISTRY}}/app",
    f"user:{SECRET}@{{{{ registry }}}}/app",
    f"user:a@b{SECRET}@host/app",
    f"user:a/b{SECRET}@host/app",
    f"user:it's{SECRET}@host/app",
    f'user:"{SECRET}@host/app',
    f"user:a,{SECRET}@host/app",
    f"user:a({SECRET}@host/app",
    f"user:a={SECRET}@host/app",
    f"--from=user:{SECRET}@host/app",
    f"type=bind,from=user:{SECRET}@host/app,target=/x",
    f'{{"a":["u:{SECRET}@host:5000","v:{SECRET}@host/app"],"b":"joe@example.com"}}',
    f"BASE=user:{SECRET}@host/app",
    f'ENV A="user:{SECRET}@host/app"',
    repr(f"user:it's\"{SECRET}@host/app"),
    "@" * 40 + f"user:{SECRET}" + "@x" * 50 + "@host/app",
]

ORDINARY = [
    f"app@{DIGEST}",
    f"registry.local:5001/gallery/ui:v1@{DIGEST}",
    f"COPY --from=app:1@{DIGEST} /a /b",
    "app:1@sha256:abc",
    "ghcr.io/acme/app:1@${DIGEST}",
    "${REGISTRY:-ghcr.io}/acme/app@${DIGEST:-sha256:" + 64 * "0" + "}",
    "ghcr.io/acme/app:1@$IMAGE_SHA",
    "acme/app:{{version}}@{{.Values.digest}}",
    "joe@example.com",
    "Joe <joe@example.com>, (ann@example.org): both",
    'LABEL maintainer="joe@example.com"',
    "mailto:joe@example.com",
    "RUN npm i @scope/pkg @scope/pkg@1.2.3 foo@npm:@scope/pkg lodash@4.17.21",
    "git@github.com:acme/app",
    "ssh://git@github.com/acme/app",
    "https://cdn.example/npm/bootstrap@5.1.3/dist/css",
    "go install example.com/cmd/tool@v1.2.3",
    "actions/checkout@v4",
    "node@18/bin/Dockerfile:3:1: IMG101",
    "apps@web/Dockerfile:3:1: IMG101",
    "***@host/app",
    "@",
    "a @ b",
]


@each("text", LEAKS)
@each("frame", ["{}", "error: '{}': is not valid", "  image: {}", "({})", "[{}]"])
def test_masked_hides_credentials_in_running_text(frame: str, text: str) -> None:
    shown = masked(frame.format(text))
    assert SECRET not in shown
    assert "***" in shown


@each("text", ORDINARY)
def test_masked_leaves_ordinary_text(text: str) -> None:
    assert masked(text) == text


@each("text", LEAKS)
def test_masked_with_same_length_keeps_columns(text: str) -> None:
    shown = masked(text, same_length=True)
    assert len(shown) == len(text)
    assert SECRET not in shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tok@registry/app", "***@registry/app"),
        ("u:p w@host/app", "***@host/app"),
        ("https://u:p/w@host/app", "https://***@host/app"),
        (f"app@{DIGEST}", f"app@{DIGEST}"),
        ("@scope/app", "@scope/app"),
    ],
)
def test_masked_of_a_whole_reference_hides_all_before_the_sign(text: str, shown: str) -> None:
    assert masked(text, whole=True) == shown


WORDS = st.text(st.sampled_from("ab1 :/@.'\"`{}[]()<>,=$-_*\\\n"), max_size=40)


@given(WORDS)
def test_masked_twice_is_masked_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)
    same = masked(text, same_length=True)
    assert len(same) == len(text)
    assert masked(same) == same


@given(st.recursive(WORDS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner)))
def test_masked_json_is_json_with_every_string_masked(value: object) -> None:
    def expected(item: object) -> object:
        if isinstance(item, str):
            return masked(item)
        if isinstance(item, list):
            return [expected(one) for one in item]
        return {masked(key): expected(one) for key, one in item.items()} if isinstance(item, dict) else item

    assert json.loads(masked_json(json.dumps(value))) == expected(value)
    assert json.loads(masked_json(json.dumps(value, indent=2))) == expected(value)


PASSWORD = st.text(st.sampled_from("aZ09!#%&*()+,-.:;=?@[]^_`{|}~/\\$'\""), min_size=1, max_size=12)


@example("',\"", "host/app")
@example("/',\"", "host/app")
@given(PASSWORD, st.sampled_from(["host/app", "registry.example:5000/a/b:1", "registry.example", "[::1]:5000/x"]))
def test_masked_hides_any_password_in_a_url(password: str, host: str) -> None:
    text = f"https://user:{SECRET}{password}{SECRET}@{host}"
    assert SECRET not in masked(f"it is {text}")
    assert SECRET not in masked(f"it is {text!r}, says the registry")
    assert SECRET not in masked_json(json.dumps({"a": text}))


@each("unit", ["a", "@", "a@", "a:b@", "'a@", '"a@b",', "a.", "a@host/", "://", "(", "a=", "é@", "://a:b','", "','"])
def test_masked_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit)) + "x:y@host/app"
        start = time.process_time()
        masked(text)
        return time.process_time() - start

    assert min(seconds(400_000) for _ in range(2)) < 12 * max(min(seconds(100_000) for _ in range(3)), 0.005)


@given(st.text())
def test_printable_leaves_nothing_that_a_terminal_obeys(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(text, "\n").replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b\x7f\u202e\u2028\r\n\t", "\\x9b\\x7f\\u202e\\u2028\\r\\n\\t"),
        ("\udcff\ud800", "\\xff\\ud800"),
        ("naïve 日本語 😀", "naïve 日本語 😀"),
    ],
)
def test_printable_escapes_controls_and_keeps_letters(text: str, shown: str) -> None:
    assert printable(text) == shown
