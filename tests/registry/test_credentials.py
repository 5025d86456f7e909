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
from imgref.registry.credentials import Credential, Credentials, refused


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
from imgref.registry.credentials import Credentials
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


# What is incomplete or damaged


@pytest.mark.parametrize(
    "said",
    [
        {"IMGREF_USERNAME": "ada"},
        {"IMGREF_PASSWORD": "x"},
        {"IMGREF_USERNAME": "ada", "IMGREF_PASSWORD": ""},
        {"IMGREF_USERNAME": "", "IMGREF_PASSWORD": "x"},
        {"IMGREF_USERNAME": "ada", "IMGREF_PASSWORD": "x", "IMGREF_REGISTRY": "other.example"},
    ],
    ids=str,
)
def test_environment_with_half_a_credential_is_none(said: dict[str, str], tmp_path: Path) -> None:
    found = credentials(tmp_path, **{"IMGREF_REGISTRY": "r.example", **said})
    assert found.find("r.example") is None
    write(tmp_path / ".docker/config.json", {"r.example": encoded("file:x")})
    credential = credentials(tmp_path, **{"IMGREF_REGISTRY": "r.example", **said}).find("r.example")
    assert credential is not None
    assert credential.username == "file"


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"username": "ada"},
        {"password": "x"},
        {"username": "ada", "password": 1},
        {"auth": ""},
        {"auth": 1},
        {"identitytoken": None},
        encoded("ada:"),
        encoded(":x"),
    ],
    ids=str,
)
def test_entry_with_half_a_credential_is_none(entry: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"r.example": entry})
    assert credentials(tmp_path).find("r.example") is None


def test_entry_with_user_and_password_in_clear_is_found(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"r.example": {"username": "ada", "password": "x"}})
    found = credentials(tmp_path).find("r.example")
    assert found is not None
    assert (found.username, found.secret, found.kind) == ("ada", "x", "password")
    assert found.basic() == "Basic " + base64.b64encode(b"ada:x").decode()
    # As some tools write it, filled up with zeros.
    write(tmp_path / ".docker/config.json", {"r.example": encoded("ada:x\0\0")})
    padded = credentials(tmp_path).find("r.example")
    assert padded is not None
    assert padded.secret == "x"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\n"auths": 1}', ":2: auths"),
        ('{"auths": {\n"r.example": "s3cret"}}', ":2: .*r.example"),
        ('{"auths": {"r.example": {"auth": "s3cret!"}}}', ":1: auth of 'r.example'"),
        ('{"auths": {"r.example": {"auth": "czNjcmV0"}}}', ":1: auth of 'r.example'"),
        ('{"auths": {"r.example": {"auth": "/w=="}}}', ":1: auth of 'r.example'"),
        ('{"credHelpers": []}', None),
        ('{"credHelpers": 1}', ":1: credHelpers"),
        ('{"credHelpers": {"r.example": 1}}', "credential helper"),
        ('{"credHelpers": {"r.example": "../evil"}}', "credential helper"),
        ('{"credsStore": "a/b"}', "credential helper"),
        ('{"credsStore": ["a"]}', "credential helper"),
        ('{"auths": {"r.example": "s3cret"', "JSON"),
        ("[1]", "JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ("", None),
        ("{}", None),
        ('{"auths": null, "credsStore": "", "credHelpers": null}', None),
    ],
)
def test_settings_that_are_damaged_are_named_without_secrets(text: str, words: str | None, tmp_path: Path) -> None:
    path = tmp_path / ".docker/config.json"
    path.parent.mkdir()
    path.write_text(text)
    if words is None:
        assert credentials(tmp_path).find("r.example") is None
        credentials(tmp_path).store("r.example", "ada", "new")
        return
    with pytest.raises(ConfigError, match=f"^{path}.*{words}") as caught:
        credentials(tmp_path).find("r.example")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert path.read_text() == text


# Credential helpers

HELPER = """#!/bin/sh
# Keeps one credential in a file, as Docker's helpers are asked to.
case $1 in
    get) read key
        if grep -q "\"$key\"" kept 2>/dev/null; then cat kept
        else echo credentials not found in native keychain; exit 1; fi ;;
    store) cat > kept ;;
    erase) cat > erased; rm kept ;;
    list) echo '{"https://index.docker.io/v1/": "ada", "r.example": "ada"}' ;;
esac
"""


class Helpers:
    """Credential helpers on PATH."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.bin = home / "bin"
        self.bin.mkdir()

    def add(self, name: str, script: str) -> None:
        path = self.bin / f"docker-credential-{name}"
        path.write_text(script.replace("kept", f"{self.home}/kept").replace("erased", f"{self.home}/erased"))
        path.chmod(0o755)

    def credentials(self, **settings: object) -> Credentials:
        (self.home / ".docker").mkdir(exist_ok=True)
        (self.home / ".docker/config.json").write_text(json.dumps(settings))
        return credentials(self.home, PATH=f"{self.bin}:{os.defpath}")


@pytest.fixture
def helpers(tmp_path: Path) -> Helpers:
    return Helpers(tmp_path)


@pytest.mark.parametrize("settings", [{"credsStore": "good"}, {"credHelpers": {"https://r.example": "good"}}], ids=str)
def test_helper_stores_finds_and_erases(settings: dict[str, object], helpers: Helpers, tmp_path: Path) -> None:
    helpers.add("good", HELPER)
    found = helpers.credentials(**settings)
    assert found.find("r.example") is None
    assert found.store("r.example", "ada", "s3cret") == "docker-credential-good"
    kept = {"ServerURL": "r.example", "Username": "ada", "Secret": "s3cret"}
    assert json.loads((tmp_path / "kept").read_text()) == kept
    assert found.find("r.example") == Credential("ada", "s3cret", source="docker-credential-good")
    assert "s3cret" not in (tmp_path / ".docker/config.json").read_text()
    assert json.loads((tmp_path / ".docker/config.json").read_text())["auths"] == {"r.example": {}}
    assert found.erase("r.example") == ["docker-credential-good"]
    assert (tmp_path / "erased").read_text() == "r.example"
    assert found.find("r.example") is None
    assert json.loads((tmp_path / ".docker/config.json").read_text())["auths"] == {}
    assert found.erase("r.example") == []


def test_helper_knows_docker_hub_by_its_key_and_identity_tokens_by_their_user(helpers: Helpers) -> None:
    helpers.add("good", HELPER)
    found = helpers.credentials(credsStore="good")
    found.store("docker.io", "<token>", "s3cret")
    assert found.find("docker.io") == Credential("<token>", "s3cret", "identity-token", "docker-credential-good")
    assert found.known() == [("docker.io", "docker-credential-good"), ("r.example", "docker-credential-good")]


def test_known_names_every_source(tmp_path: Path) -> None:
    path = write(tmp_path / ".docker/config.json", {"https://r.example/v2/": encoded("ada:x"), "empty.example": {}})
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "credHelpers": {"h.example": "x"}}))
    said = {"IMGREF_USERNAME": "env", "IMGREF_PASSWORD": "p", "IMGREF_REGISTRY": "https://e.example"}
    assert credentials(tmp_path, **said).known() == [
        ("e.example", "IMGREF_USERNAME"),
        ("r.example", str(path)),
        ("h.example", "docker-credential-x"),
    ]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\necho garbage", "JSON object"),
        ("#!/bin/sh\necho '[1]'", "JSON object"),
        ("#!/bin/sh\nprintf '\\377'", "JSON object"),
        ("#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' '['", "JSON object"),
        ("#!/bin/sh\n", "JSON object"),
        ("#!/bin/sh\necho s3cret >&2; echo s3cret; exit 3", "exit code 3"),
        ("#!/bin/sh\nexec sleep 20", "does not end"),
        ("#!/nowhere/sh\n", "does not run"),
    ],
    ids=["text", "list", "bytes", "deep", "nothing", "fails", "hangs", "broken"],
)
def test_helper_that_is_damaged_is_named(
    script: str, words: str, helpers: Helpers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgref.registry.credentials._HELPER_SECONDS", 0.2 if "sleep" in script else 20)
    helpers.add("bad", script)
    found = helpers.credentials(credsStore="bad")
    with pytest.raises(ConfigError, match=f"docker-credential-bad get .*{words}") as caught:
        found.find("r.example")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        "{}",
        '{"Username": "ada"}',
        '{"Secret": "x"}',
        '{"Username": 1, "Secret": "x"}',
        '{"Username": "a", "Secret": ""}',
    ],
)
def test_helper_that_has_half_a_credential_has_none(answer: str, helpers: Helpers) -> None:
    helpers.add("half", f"#!/bin/sh\necho '{answer}'")
    assert helpers.credentials(credsStore="half").find("r.example") is None
    # The file is asked after it.
    settings = {"credsStore": "half", "auths": {"r.example": encoded("ada:x")}}
    found = helpers.credentials(**settings).find("r.example")
    assert found is not None


def test_helper_that_cannot_store_leaves_no_secret(helpers: Helpers, tmp_path: Path) -> None:
    helpers.add("full", "#!/bin/sh\ncat >/dev/null; exit 1")
    found = helpers.credentials(credsStore="full")
    before = (tmp_path / ".docker/config.json").read_text()
    with pytest.raises(ConfigError, match="store failed with exit code 1") as caught:
        found.store("r.example", "ada", "s3cret")
    assert "s3cret" not in str(caught.value)
    assert (tmp_path / ".docker/config.json").read_text() == before


def test_store_keeps_what_else_is_in_the_settings(tmp_path: Path) -> None:
    path = write(tmp_path / ".docker/config.json", {"other.example": encoded("b:y")})
    path.write_text(json.dumps({**json.loads(path.read_text()), "detachKeys": "é"}))
    found = credentials(tmp_path)
    assert found.find("r.example") is None
    assert found.store("r.example", "ada", "x") == str(path)
    # What was looked for before is looked for again.
    assert found.find("r.example") is not None
    settings = json.loads(path.read_text())
    assert settings["detachKeys"] == "é"
    assert set(settings["auths"]) == {"other.example", "r.example"}
    assert found.erase("r.example") == [str(path)]
    assert found.find("r.example") is None
    assert set(json.loads(path.read_text())["auths"]) == {"other.example"}
    assert credentials(tmp_path / "none").erase("r.example") == []


def test_store_of_the_same_credential_writes_nothing(tmp_path: Path) -> None:
    found = credentials(tmp_path)
    path = Path(found.store("r.example", "ada", "x"))
    before = path.stat()
    found.store("r.example", "ada", "x")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_store_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    real = write(tmp_path / "dotfiles/config.json", {})
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").symlink_to(real)
    credentials(tmp_path).store("r.example", "ada", "x")
    assert (tmp_path / ".docker/config.json").is_symlink()
    assert "r.example" in real.read_text()


def test_settings_that_are_not_text_or_not_a_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / ".docker/config.json"
    path.parent.mkdir()
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        credentials(tmp_path).find("r.example")
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        credentials(tmp_path).find("r.example")
    other = tmp_path / "other"
    other.write_text("")
    assert credentials(tmp_path, DOCKER_CONFIG=str(other)).find("r.example") is None
    with pytest.raises(ConfigError, match="cannot be written"):
        credentials(tmp_path, DOCKER_CONFIG=str(other)).store("r.example", "ada", "x")


def test_docker_config_names_the_directory(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/config.json", {"r.example": encoded("ada:x")})
    write(tmp_path / ".docker/config.json", {"other.example": encoded("ada:x")})
    found = credentials(tmp_path, DOCKER_CONFIG=str(tmp_path / "elsewhere"))
    assert found.find("r.example") is not None
    assert found.find("other.example") is None


@pytest.mark.parametrize("home", ["", "relative"])
def test_home_that_is_relative_does_not_count(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be in the working tree, which says nothing about credentials."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "real"))
    write(tmp_path / home / ".docker/config.json", {"r.example": encoded("evil:x")})
    write(tmp_path / "real/.docker/config.json", {"r.example": encoded("ada:x")})
    found = Credentials({"HOME": home}).find("r.example")
    assert found is not None
    assert found.username == "ada"


def test_find_without_a_path_does_not_find_what_is_kept_for_one(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"r.example/x": encoded("ada:secret")})
    assert credentials(tmp_path).find("r.example") is None
    assert credentials(tmp_path).find("r.example", "x") is not None


def test_known_of_empty_settings_is_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / ".docker/config.json", {})
    path.write_text("{}")
    assert credentials(tmp_path).known() == []


def test_erase_of_several_keys_of_a_registry_names_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / ".docker/config.json", {"docker.io": {}, "index.docker.io": encoded("ada:secret")})
    assert credentials(tmp_path).erase("docker.io") == [str(path)]
    assert json.loads(path.read_text())["auths"] == {}


def test_helper_receives_the_environment(tmp_path: Path) -> None:
    helper = tmp_path / "docker-credential-env"
    helper.write_text('#!/bin/sh\nprintf \'{"Username": "%s", "Secret": "s"}\' "$WHO"\n')
    helper.chmod(0o755)
    path = write(tmp_path / ".docker/config.json", {})
    path.write_text('{"credsStore": "env"}')
    found = credentials(tmp_path, PATH=str(tmp_path), WHO="ada").find("r.example")
    assert found == Credential("ada", "s", source="docker-credential-env")


def test_registry_token_without_a_user_is_named_as_a_token(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"r.example": {"registrytoken": "t"}})
    found = credentials(tmp_path).find("r.example")
    assert found is not None
    assert (found.username, found.kind) == ("<token>", "registry-token")


def test_store_keeps_other_letters_than_those_of_ascii_readable(tmp_path: Path) -> None:
    path = write(tmp_path / ".docker/config.json", {})
    path.write_text('{"note": "\u00e9t\u00e9"}', encoding="utf-8")
    credentials(tmp_path).store("r.example", "ada", "secret")
    assert '"\u00e9t\u00e9"' in path.read_text(encoding="utf-8")


def test_refused_without_a_credential_asks_for_a_login() -> None:
    error = refused(None, "r.example", "r.example/app")
    assert (error.status, "imgref login r.example" in str(error)) == (401, True)
