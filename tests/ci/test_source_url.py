"""The web address of a repository."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.ci import source_url

WEB = {
    "git@github.com:acme/app.git": "https://github.com/acme/app",
    "github.com:acme/app": "https://github.com/acme/app",
    "git@gitlab:acme/app.git": "https://gitlab/acme/app",
    "git@git.example.com:/acme/app.git/": "https://git.example.com/acme/app",
    "ssh://git@github.com/acme/app.git": "https://github.com/acme/app",
    "ssh://git@git.example.com:2222/acme/app.git": "https://git.example.com/acme/app",
    "ssh://user:secret@git.example.com:22/acme/app": "https://git.example.com/acme/app",
    "git+ssh://git@github.com/acme/app.git": "https://github.com/acme/app",
    "git://git.example.com:9418/acme/app.git": "https://git.example.com/acme/app",
    "ssh://git@ssh.github.com:443/acme/app.git": "https://github.com/acme/app",
    "git@ssh.dev.azure.com:v3/acme/project/app": "https://dev.azure.com/acme/project/_git/app",
    "https://github.com/acme/app.git": "https://github.com/acme/app",
    "HTTPS://github.com/acme/app/": "https://github.com/acme/app",
    "git+https://github.com/acme/app.git": "https://github.com/acme/app",
    "https://git.example.com:8443/acme/app": "https://git.example.com:8443/acme/app",
    "http://[::1]:3000/acme/app": "http://[::1]:3000/acme/app",
    "https://user:secret@host/acme/app.git": "https://host/acme/app",
    "https://user:sec@ret@host/acme/app.git": "https://host/acme/app",
    "https://host/acme/app?private_token=secret#secret": "https://host/acme/app",
    "https://acme@dev.azure.com/acme/project/_git/app": "https://dev.azure.com/acme/project/_git/app",
    "https://example.com/my app": "https://example.com/my app",
}

NOT_WEB = [
    "", "/srv/git/app.git", "./app", "../app", "app", "~/app", "file:///srv/git/app.git", "file://host/app.git",
    "C:\\work\\app", "C:/work/app", "C:app", "alias:acme/app", "us.er:secret@host/app",
    "git@github.com:", "git@:acme/app", "https://", "https:///acme/app",
    "https://user:12/secret@host/acme/app", "s3://bucket/app", "javascript://host/app", "https://host\\@evil/app",
    "https://host/acme/app\nx: y", "git@github.com:acme/\x1bapp", "https://host/a\u2028b", "https://host:port/app",
    "https://-host/app", "https://a b/app", "git@ssh.dev.azure.com:v3/acme/app", "ssh://git@host:22/",
]  # fmt: skip


@each(("address", "url"), WEB.items())
def test_source_url_of_a_repository_on_the_web_is_its_address_without_credentials(address: str, url: str) -> None:
    assert source_url(address) == url
    assert source_url(url) == url


@each("address", NOT_WEB)
def test_source_url_of_anything_else_is_none(address: str) -> None:
    assert source_url(address) is None


parts = st.sampled_from(
    ["https://", "ssh://", "git@", "user:", "s3cr3t", "@", "host", ":", "/", "22", ".git", "?", "\n"]
)


@given(st.lists(parts, max_size=10).map("".join) | st.text(max_size=30))
def test_source_url_of_any_text_is_none_or_an_address_without_credentials(address: str) -> None:
    url = source_url(address)
    assert url is None or re.fullmatch(r"https?://[^@/\s]+(/[^@?#\n\r\x00-\x1f]*)?", url)


@given(st.lists(parts, max_size=10).map("".join))
def test_source_url_of_credentials_never_contains_them(tail: str) -> None:
    for address in (f"https://user:s3cr3t@host/{tail}", f"ssh://git:s3cr3t@host:22/{tail}"):
        url = source_url(address)
        assert url is None or url.count("s3cr3t") <= tail.count("s3cr3t")
