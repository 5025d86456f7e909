"""Where credentials are found, for which registry and repository they are, and how they are kept."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref.errors import ConfigError
from imgref.registry import _files
from imgref.registry.auth import Credential, Credentials


def encoded(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def write(path: Path, auths: dict[str, dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": auths}))
    return path


def credentials(tmp_path: Path, **environ: str) -> Credentials:
    return Credentials({"HOME": str(tmp_path), **environ})


def test_sources_in_order(tmp_path: Path) -> None:
    places = {
        "docker": tmp_path / ".docker/config.json",
        "named": tmp_path / "named.json",
        "run": tmp_path / "run/containers/auth.json",
        "config": tmp_path / ".config/containers/auth.json",
    }
    environ = {"REGISTRY_AUTH_FILE": str(places["named"]), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    for name in reversed(places):
        write(places[name], {"r.example": encoded(f"{name}:secret")})
        found = credentials(tmp_path, **environ).find("r.example")
        assert found is not None
        assert (found.username, found.source) == (name, str(places[name]))
    said = {"IMGREF_USERNAME": "env", "IMGREF_PASSWORD": "p", "IMGREF_REGISTRY": "r.example"}
    found = credentials(tmp_path, **environ, **said).find("r.example")
    assert found is not None
    assert found.username == "env"


def test_a_port_is_another_registry(tmp_path: Path) -> None:
    write(
        tmp_path / ".docker/config.json",
        {"registry.local:5001": encoded("ada:x"), "https://other.local/v1/": encoded("b:y")},
    )
    found = credentials(tmp_path)
    assert found.find("registry.local:5001") is not None
    assert found.find("registry.local:9999") is None
    assert found.find("registry.local") is None
    assert found.find("other.local") is not None


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_by_all_its_names(key: str, tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {key: encoded("ada:x")})
    assert credentials(tmp_path).find("docker.io", "library/ubuntu") is not None


def test_docker_hub_is_stored_by_dockers_name(tmp_path: Path) -> None:
    credentials(tmp_path).store("docker.io", "ada", "x")
    assert json.loads((tmp_path / ".docker/config.json").read_text()) == {
        "auths": {"https://index.docker.io/v1/": encoded("ada:x")}
    }


def test_the_longest_path_comes_first(tmp_path: Path) -> None:
    auths = {"r.example": encoded("host:x"), "r.example/a": encoded("a:x"), "r.example/a/b": encoded("ab:x")}
    write(tmp_path / ".config/containers/auth.json", auths)
    found = credentials(tmp_path)
    for path, name in (("a/b", "ab"), ("a/b/c", "ab"), ("a/bc", "a"), ("ab", "host"), ("", "host")):
        credential = found.find("r.example", path)
        assert credential is not None
        assert credential.username == name


def test_tokens(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"a.example": {"identitytoken": "i"}, "b.example": {"registrytoken": "r"}})
    file = str(tmp_path / ".docker/config.json")
    assert credentials(tmp_path).find("a.example") == Credential("<token>", "i", "identity-token", file)
    found = credentials(tmp_path).find("b.example")
    assert found is not None
    assert found.kind == "registry-token"


def test_the_environment_must_name_the_registry(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="IMGREF_REGISTRY: is not set"):
        credentials(tmp_path, IMGREF_USERNAME="ada", IMGREF_PASSWORD="x").find("r.example")


text = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(text.filter(lambda name: ":" not in name), text)
def test_what_is_stored_is_found(name: str, secret: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        credentials(home).store("r.example:5000", name, secret)
        path = home / ".docker/config.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        found = credentials(home).find("r.example:5000")
        assert found == Credential(name, secret, source=str(path))
        assert secret not in repr(found) or secret in repr(Credential(name, "", source=str(path)))
        assert credentials(home).erase("r.example:5000") == [str(path)]
        assert credentials(home).find("r.example:5000") is None


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / ".docker/config.json", {"r.example": encoded("ada:old")})
    before = path.read_text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
        credentials(tmp_path).store("r.example", "ada", "new")
    assert path.read_text() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_helper_with_no_name_excepts_a_host(tmp_path: Path) -> None:
    path = write(tmp_path / ".docker/config.json", {"r.example": encoded("ada:x")})
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "credsStore": "nowhere", "credHelpers": {"r.example": ""}}))
    assert credentials(tmp_path).find("r.example") is not None
    with pytest.raises(ConfigError, match="docker-credential-nowhere is configured here, but is not on PATH"):
        credentials(tmp_path).find("other.example")


LOGIN = """
import sys
from pathlib import Path
from imgref.registry.auth import Credentials
credentials = Credentials({"HOME": sys.argv[1]})
for number in range(10):
    credentials.store(f"registry-{sys.argv[2]}-{number}.example", "ada", "secret")
for number in range(5):
    credentials.erase(f"registry-{sys.argv[2]}-{number}.example")
"""


def test_logins_at_the_same_time_keep_all_entries(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", LOGIN, str(tmp_path), str(number)]) for number in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    path = tmp_path / ".docker/config.json"
    expected = {f"registry-{number}-{count}.example" for number in range(4) for count in range(5, 10)}
    assert set(json.loads(path.read_text())["auths"]) == expected
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("mode", "kept"), [(0o600, 0o600), (0o640, 0o640), (0o660, 0o660), (0o400, 0o400), (0o644, 0o600), (0o666, 0o600)]
)
def test_mode_of_the_file_is_kept_unless_others_may_read_it(mode: int, kept: int, tmp_path: Path) -> None:
    path = write(tmp_path / ".docker/config.json", {})
    path.chmod(mode)
    credentials(tmp_path).store("r.example", "ada", "x")
    assert stat.S_IMODE(path.stat().st_mode) == kept


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("link", [False, True])
def test_owner_and_group_of_the_file_are_kept_by_root(link: bool, tmp_path: Path) -> None:
    path = write(tmp_path / ".docker/config.json", {"r.example": encoded("ada:old")})
    target = path
    if link:
        target = path.rename(tmp_path / "dotfiles.json")
        path.symlink_to(target)
    os.chown(target, 12345, 23456)
    target.chmod(0o640)
    credentials(tmp_path).store("r.example", "ada", "new")
    credentials(tmp_path).erase("r.example")
    found = target.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 23456, 0o640)
    assert path.is_symlink() == link


def test_group_that_cannot_be_kept_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / ".docker/config.json", {})
    path.chmod(0o640)
    make_like, real = _files._make_like, os.fstat

    def refuse(*_: object) -> None:
        raise PermissionError

    def as_another_group(handle: int, old: os.stat_result) -> None:
        monkeypatch.setattr(os, "fstat", lambda number: type(old)([*real(number)[:4], old.st_uid + 1, *old[5:]]))
        make_like(handle, old)

    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(_files, "_make_like", as_another_group)
    credentials(tmp_path).store("r.example", "ada", "x")
    monkeypatch.undo()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
