"""What the commands for registries say before any registry is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from vectors import Done, clean_environ
from vectors import imgref as run


def imgref(*arguments: str, **environ: str) -> Done:
    return run(*arguments, environ=clean_environ(**environ))


def test_without_urllib3(tmp_path: Path) -> None:
    (tmp_path / "urllib3.py").write_text("raise ModuleNotFoundError(\"No module named 'urllib3'\", name='urllib3')")
    ran = imgref("ls", "localhost/app", PYTHONPATH=str(tmp_path))
    assert (ran.exit, ran.stdout) == (2, "")
    assert ran.stderr == "error: registries need urllib3: pip install 'imgref[registry]'\n"
    for arguments in (["info"], ["logout", "registry.example"]):
        assert imgref(*arguments, PYTHONPATH=str(tmp_path), HOME=str(tmp_path)).exit == 0


BAD = [
    (["index"], "no subcommand is given; the only one is create (imgref index create REF IMAGE...)"),
    (["index", "crate", "a"], "no such subcommand 'crate'; the only one is create"),
    (["index", "create"], "missing argument 'REF'"),
    (["completion"], "missing argument 'SHELL'. Choose from: bash, zsh, fish"),
    (["ls", "localhost/app:1"], "what is asked for is a repository, without tag and digest"),
    (["ls", "Acme/App"], "the repository must be lowercase"),
    (["ls", "localhost/app", "--range", "x"], "a range is comparisons joined by commas"),
    (["ls", "localhost/app", "--include", "("], "--include: not a valid regular expression"),
    (["ls", "localhost/app", "--pre"], "--pre goes with --range"),
    (["ls", "localhost/app", "--limit", "0"], "--limit"),
    (["ls", "localhost/app", "--since", "yesterday"], "invalid time 'yesterday': write a date such as 2024-01-31"),
    (["ls", "localhost/app", "--since", "2024"], "invalid time '2024'"),
    (["ls", "localhost/app", "--since", "2024-02-30"], "invalid time '2024-02-30'"),
    (["ls", "localhost/app", "--since", "999999999w"], "invalid time '999999999w'"),
    (["ls", "localhost/app", "--timeout", "0"], "--timeout"),
    (["ls", "localhost/app", "--cacert", "/nowhere/ca.pem"], "/nowhere/ca.pem: is not a file with CA certificates"),
    (["ls", "localhost/app", "--insecure", "a b"], "--insecure: 'a b' is not a registry"),
    (["digest", "localhost/app", "--platform", "a/b/c/d"], "'a/b/c/d' is not a platform"),
    (["tag", "localhost/app:1"], "no new tag is given"),
    (["tag", "localhost/app:1", "-x"], "no such option"),
    (["tag", "localhost/app:1", ".x"], "a tag begins with a letter, a digit or '_'"),
    (["tag", "localhost/app:1", "other.example/app:2"], "NEW must be on localhost, as SRC is"),
    (["tag", "localhost/app:1", "app:2"], "NEW must be on localhost, as SRC is"),
    (["tag", "localhost/app:1", "localhost/app@sha256:" + 64 * "0"], "a digest cannot be given away"),
    (["login", "not a host", "-u", "ada"], "HOST is a registry"),
    (["login", "registry.example/path", "-u", "ada"], "HOST is a registry"),
    (["login", "registry.example", "-u", "ada"], "cannot prompt without a terminal"),
    (["logout", ""], "HOST is a registry"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(arguments)[:50] for arguments, _ in BAD])
def test_bad_usage(arguments: list[str], said: str, tmp_path: Path) -> None:
    ran = imgref(*arguments, HOME=str(tmp_path))
    assert (ran.exit, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_info(tmp_path: Path) -> None:
    import json

    environ = {
        "HOME": str(tmp_path),
        "IMGREF_INSECURE_REGISTRIES": "registry.local:5001",
        "IMGREF_REGISTRY": "registry.local:5001",
        "IMGREF_USERNAME": "ada",
        "IMGREF_PASSWORD": "s3cret",
        "HTTPS_PROXY": "http://ada:s3cret@proxy.example:3128",
    }
    table, fields = imgref("info", **environ), json.loads(imgref("info", "--format", "json", **environ).stdout)
    assert "registry.local:5001  (IMGREF_INSECURE_REGISTRIES)" in table.stdout
    assert {"host": "registry.local:5001", "source": "IMGREF_INSECURE_REGISTRIES"} in fields["insecure_registries"]
    assert fields["default_registry"] == "docker.io"
    assert fields["credentials"] == [{"registry": "registry.local:5001", "source": "IMGREF_USERNAME"}]
    assert fields["proxies"] == {"https": "http://proxy.example:3128"}
    assert "s3cret" not in table.stdout + str(fields)


def test_info_shows_mirrors_locations_and_what_is_blocked(tmp_path: Path) -> None:
    import json

    conf = tmp_path / "registries.conf"
    conf.write_text(
        '[[registry]]\nprefix = "ghcr.io"\nlocation = "moved.example/ghcr"\n[[registry.mirror]]\n'
        'location = "mirror.example"\ninsecure = true\npull-from-mirror = "digest-only"\n'
        '[[registry]]\nlocation = "bad.example"\nblocked = true\n'
    )
    daemon = tmp_path / ".config" / "docker" / "daemon.json"
    daemon.parent.mkdir(parents=True)
    daemon.write_text('{"registry-mirrors": ["https://hub.example"]}')
    environ = {"HOME": str(tmp_path), "CONTAINERS_REGISTRIES_CONF": str(conf)}
    fields = json.loads(imgref("info", "--format", "json", **environ).stdout)
    assert fields["mirrors"] == [
        {
            "kind": "mirror", "prefix": "docker.io", "location": "hub.example", "insecure": False, "pull": "all",
            "source": f"{daemon}:1",
        },
        {
            "kind": "mirror", "prefix": "ghcr.io", "location": "mirror.example", "insecure": True,
            "pull": "digest-only", "source": f"{conf}:5",
        },
        {
            "kind": "location", "prefix": "ghcr.io", "location": "moved.example/ghcr", "insecure": False,
            "source": f"{conf}:2",
        },
        {"kind": "blocked", "prefix": "bad.example", "location": None, "source": f"{conf}:9"},
    ]  # fmt: skip
    assert fields["files"] == [str(daemon), str(conf)]
    table = imgref("info", **environ).stdout
    assert f"docker.io -> hub.example  ({daemon}:1)" in table
    assert f"ghcr.io -> mirror.example  (digest-only, insecure, {conf}:5)" in table
    assert f"bad.example  ({conf}:9)" in table
