"""Credentials where Docker keeps them: stored, found and forgotten as Docker does, and never shown."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e import fault_proxy as faults
from e2e.commands import Home
from e2e.docker_daemon import run_daemon
from e2e.fault_proxy import run_fault_proxy
from e2e.images import put_image
from e2e.servers import PASSWORD, USER, Registry, require

import imgref
from imgref.errors import ImgrefError
from imgref.registry.client import RegistryClient, Upload
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]

AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

HELPER = """#!/bin/sh
# A credential helper that keeps one secret in a file beside it.
kept="$HOME/kept.json"
echo "$1" >> "$HOME/helper.log"
case "$1" in
store) cat > "$kept" ;;
get) if [ -f "$kept" ]; then cat "$kept"; else echo "credentials not found in native keychain"; exit 1; fi ;;
erase) cat > /dev/null; rm "$kept" ;;
list) if [ -f "$kept" ]; then echo '{"helped.example": "ada"}'; else echo '{}'; fi ;;
esac
"""


def login(home: Home, host: str, password: str = PASSWORD) -> int:
    return home.imgref("login", host, "-u", USER, "--password-stdin", input=f"{password}\r\n").code


def write_config(home: Home, config: object) -> None:
    home.docker_config.parent.mkdir(exist_ok=True)
    home.docker_config.write_text(config if isinstance(config, str) else json.dumps(config))


def install_helper(home: Home, name: str, text: str = HELPER) -> None:
    place = home.path / "bin" / f"docker-credential-{name}"
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)
    place.chmod(place.stat().st_mode | 0o055)
    home.environ["PATH"] = f"{place.parent}:{home.environ['PATH']}"


def test_stored_as_docker_does(htpasswd: Registry, home: Home) -> None:
    other = {"auths": {"other.example": {"auth": "eDp5"}}, "HttpHeaders": {"X": "ü"}, "psFormat": "table"}
    write_config(home, other)
    home.docker_config.chmod(0o644)
    assert login(home, htpasswd.host) == 0
    config = json.loads(home.docker_config.read_text())
    assert config == {**other, "auths": {**other["auths"], htpasswd.host: {"auth": AUTH}}}  # type: ignore[dict-item]
    assert list(config) == list(other)
    assert stat.S_IMODE(home.docker_config.stat().st_mode) == 0o600
    assert list(home.docker_config.parent.iterdir()) == [home.docker_config]

    assert home.imgref("logout", htpasswd.host).code == 0
    assert json.loads(home.docker_config.read_text()) == other


def test_a_link_stays_a_link(htpasswd: Registry, home: Home) -> None:
    target = home.path / "dotfiles.json"
    target.write_text("{}")
    home.docker_config.parent.mkdir()
    home.docker_config.symlink_to(target)
    assert login(home, htpasswd.host) == 0
    assert home.docker_config.is_symlink()
    assert htpasswd.host in json.loads(target.read_text())["auths"]


def test_docker_and_imgref_read_each_other(htpasswd: Registry, home: Home, unique: Unique) -> None:
    docker = require("docker")
    path = unique("app")
    put_image(htpasswd, path, "1.0.0")
    with run_daemon(home.path / "docker.sock") as daemon:
        home.environ["DOCKER_HOST"] = f"unix://{daemon.path}"
        assert login(home, htpasswd.host) == 0
        # Without a terminal and a password Docker takes what is stored, or fails.
        ran = home.run(docker, "login", htpasswd.host)
        assert "Login Succeeded" in ran.out, ran.err
        assert (daemon.asked[-1]["username"], daemon.asked[-1]["password"]) == (USER, PASSWORD)

        assert home.run(docker, "logout", htpasswd.host).code == 0
        assert home.imgref("ls", f"{htpasswd.host}/{path}").code == 3
        assert home.run(docker, "login", htpasswd.host, "-u", USER, "--password-stdin", input=PASSWORD).code == 0
    assert home.imgref("ls", f"{htpasswd.host}/{path}").out == "1.0.0\n"
    assert home.imgref("logout", htpasswd.host).code == 0
    assert htpasswd.host not in home.docker_config.read_text()


def test_skopeo_reads_what_imgref_stored(htpasswd: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    image = put_image(htpasswd, path, "1.0.0")
    assert login(home, htpasswd.host) == 0
    ran = home.run(
        require("skopeo"), "inspect", "--raw", "--tls-verify=false", f"docker://{htpasswd.host}/{path}:1.0.0"
    )
    assert ran.raw == image.raw


@pytest.mark.parametrize("key", ["credsStore", "credHelpers"])
def test_a_helper_keeps_the_secret(key: str, htpasswd: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(htpasswd, path, "1.0.0")
    install_helper(home, "fake")
    write_config(home, {key: "fake" if key == "credsStore" else {htpasswd.host: "fake"}})
    ran = home.imgref("login", htpasswd.host, "-u", USER, "--password-stdin", input=PASSWORD)
    assert "kept in docker-credential-fake" in ran.err
    assert AUTH not in home.docker_config.read_text()
    kept = json.loads((home.path / "home" / "kept.json").read_text())
    assert kept == {"ServerURL": htpasswd.host, "Username": USER, "Secret": PASSWORD}
    assert home.imgref("ls", f"{htpasswd.host}/{path}").out == "1.0.0\n"
    info = home.imgref("info").out
    assert "docker-credential-fake" in info
    assert PASSWORD not in info
    assert "erased from docker-credential-fake" in home.imgref("logout", htpasswd.host).err
    assert not (home.path / "home" / "kept.json").exists()
    assert home.imgref("ls", f"{htpasswd.host}/{path}").code == 3


def test_a_helper_that_is_missing_or_fails(home: Home, htpasswd: Registry) -> None:
    write_config(home, '{\n  "credsStore": "nowhere"\n}')
    ran = home.imgref("ls", f"{htpasswd.host}/app")
    assert ran.code == 2
    assert (
        ran.err == f"error: {home.docker_config}:2: docker-credential-nowhere is configured here, but is not on PATH\n"
    )
    install_helper(home, "nowhere", "#!/bin/sh\necho s3cret-p:w; exit 3\n")
    ran = home.imgref("ls", f"{htpasswd.host}/app")
    assert ran.code == 2
    assert "docker-credential-nowhere get failed with exit code 3" in ran.err
    assert PASSWORD not in ran.err


def test_the_environment_comes_first(htpasswd: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(htpasswd, path, "1.0.0")
    write_config(home, {"auths": {htpasswd.host: {"auth": base64.b64encode(b"ada:old").decode()}}})
    home.environ |= {"IMGREF_USERNAME": USER, "IMGREF_PASSWORD": PASSWORD, "IMGREF_REGISTRY": htpasswd.host}
    assert home.imgref("ls", f"{htpasswd.host}/{path}").out == "1.0.0\n"
    home.environ["IMGREF_REGISTRY"] = "other.example"
    assert home.imgref("ls", f"{htpasswd.host}/{path}").code == 3


@pytest.mark.parametrize("place", ["REGISTRY_AUTH_FILE", "run", "config"])
def test_containers_keep_credentials_by_path(place: str, htpasswd: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(htpasswd, path, "1.0.0")
    file = {
        "REGISTRY_AUTH_FILE": home.path / "auth.json",
        "run": home.path / "run/containers/auth.json",
        "config": home.path / "home/.config/containers/auth.json",
    }[place]
    file.parent.mkdir(parents=True, exist_ok=True)
    wrong = base64.b64encode(b"ada:wr0ng").decode()
    auths = {htpasswd.host: {"auth": wrong}, f"{htpasswd.host}/{path}": {"auth": AUTH}}
    file.write_text(json.dumps({"auths": auths}))
    if place == "REGISTRY_AUTH_FILE":
        home.environ["REGISTRY_AUTH_FILE"] = str(file)
    assert home.imgref("ls", f"{htpasswd.host}/{path}").out == "1.0.0\n"
    assert str(file) in home.imgref("info").out


CORRUPT = {
    "cut": ('{\n  "auths": {\n', 3),
    "no object": ("[]", 1),
    "auths": ('{\n  "auths": []\n}', 2),
    "entry": ('{\n  "auths": {\n    "HOST": "x"\n  }\n}', 3),
    "helper": ('{\n\n  "credsStore": "../../evil"\n}', 3),
}


@pytest.mark.parametrize("kind", CORRUPT)
def test_a_corrupt_file_is_named_and_kept(kind: str, htpasswd: Registry, home: Home) -> None:
    text, line = CORRUPT[kind]
    text = text.replace("HOST", htpasswd.host)
    write_config(home, text)
    for ran in (
        home.imgref("ls", f"{htpasswd.host}/app"),
        home.imgref("login", htpasswd.host, "-u", USER, "--password-stdin", input=PASSWORD),
        home.imgref("logout", htpasswd.host),
        home.imgref("info"),
    ):
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith(f"error: {home.docker_config}:{line}: ")
        assert ran.err.count("\n") == 1
    assert home.docker_config.read_text() == text


def test_entry_that_is_not_base64_is_named(htpasswd: Registry, home: Home) -> None:
    write_config(home, f'{{\n  "auths": {{\n    "{htpasswd.host}": {{\n      "auth": "%%"\n}}}}}}')
    ran = home.imgref("ls", f"{htpasswd.host}/app")
    assert ran.code == 2
    assert ran.err.startswith(
        f"error: {home.docker_config}:3: auth of '{htpasswd.host}' must be user:password in base64"
    )
    # Logging in anew mends it.
    assert login(home, htpasswd.host) == 0


def test_a_registry_that_asks_for_nothing(plain: Registry, home: Home) -> None:
    ran = home.imgref("login", plain.host, "-u", USER, "--password-stdin", input=PASSWORD)
    assert ran.code == 0
    assert f"warning: {plain.host} asks for no credentials, so these could not be checked" in ran.err


def test_invalid_registry_is_refused(home: Home, plain: Registry) -> None:
    with run_fault_proxy(plain.host) as proxy:
        proxy.add(faults.status(404), times=-1)
        ran = home.imgref("login", proxy.host, "-u", USER, "--password-stdin", input=PASSWORD)
    assert ran.code == 3
    assert "answers 404 to GET /v2/, so it is not a registry" in ran.err
    assert not home.docker_config.exists()


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (["-u", "ada"], "", "cannot prompt without a terminal"),
        (["--password-stdin"], "x", "needs --username"),
        (["-u", "ada", "--password-stdin"], "\n", "the password is empty"),
        (["-u", "ada", "--password-stdin"], "a\nb\n", "the password has several lines"),
        (["-u", "a:b", "--password-stdin"], "x", "has a ':'"),
    ],
)
def test_bad_usage(arguments: list[str], given: str, said: str, home: Home) -> None:
    ran = home.imgref("login", "registry.example", *arguments, input=given)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


# Secrets


@pytest.mark.usefixtures("short_waits")
def test_no_secret_is_ever_printed(htpasswd: Registry, token: Registry, home: Home, unique: Unique) -> None:
    """Whatever commands print at the lowest and the highest verbosity, also where the registry repeats what it got."""
    printed = []

    def run(*arguments: str, given: str = "") -> None:
        for verbosity in ([], ["-vvv"]) if arguments[0] not in ("logout", "info") else ([],):
            ran = home.imgref(*arguments, *verbosity, input=given)
            printed.append(ran.out + ran.err)

    secrets = {PASSWORD, AUTH, "wr0ng-p:w", base64.b64encode(b"ada:wr0ng-p:w").decode()}
    for registry in (htpasswd, token):
        path = unique("app")
        put_image(registry, path, "1.0.0")
        with run_fault_proxy(registry.host) as proxy:
            run("login", proxy.host, "-u", USER, "--password-stdin", given="wr0ng-p:w")
            run("login", proxy.host, "-u", USER, "--password-stdin", given=PASSWORD)
            echo = json.dumps({"errors": [{"message": f"denied: Basic {AUTH} {PASSWORD}"}]}).encode()
            run("ls", f"{proxy.host}/{path}")
            run("tag", f"{proxy.host}/{path}:1.0.0", f"{proxy.host}/{path}-2:new")
            proxy.add(faults.status(403, echo), path="/tags/", times=-1)
            proxy.add(faults.reset_before, path="/manifests/9", times=2)
            run("ls", f"{proxy.host}/{path}")
            run("digest", f"{proxy.host}/{path}:9")
            run("info")
            run("logout", proxy.host)
            tokens = {seen.headers.get("Authorization", "").partition(" ")[2] for seen in proxy.seen} - {""}
            secrets |= tokens
            states = {seen.path.partition("_state=")[2] for seen in proxy.seen} - {""}
            secrets |= states
    text = "\n".join(printed)
    assert "denied" in text
    assert "does not accept the credentials" in text
    assert "GET http://" in text
    assert len(secrets) > 5
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.usefixtures("short_waits")
def test_no_secret_in_logs_reprs_and_tracebacks(
    htpasswd: Registry, token: Registry, unique: Unique, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = {PASSWORD, AUTH}
    shown = []
    for registry in (htpasswd, token):
        path = unique("app")
        put_image(registry, path, "1.0.0")
        with run_fault_proxy(registry.host) as proxy:
            environ = {
                "HOME": str(tmp_path),
                "IMGREF_USERNAME": USER,
                "IMGREF_PASSWORD": PASSWORD,
                "IMGREF_REGISTRY": proxy.host,
            }
            ref = imgref.parse(f"{proxy.host}/{path}:1.0.0")
            credentials = Credentials(environ)
            with RegistryClient(Hosts(), credentials, timeout=5) as client:
                upload = client.start_upload(ref)
                assert upload is not None
                secrets |= {upload.location.partition("?")[2]}
                shown += [repr(client), repr(credentials), repr(credentials.find(proxy.host)), repr(upload)]
                for fault in (faults.reset_before, faults.html, faults.status(403), faults.status(401), None):
                    proxy.faults[:] = [] if fault is None else [faults.Fault(fault, times=-1)]
                    shown += failures(client, ref, upload, few=fault is faults.reset_before)
            secrets |= {seen.headers.get("Authorization", "").partition(" ")[2] for seen in proxy.seen} - {""}
    text = "\n".join([*shown, caplog.text, *(str(vars(record)) for record in caplog.records)])
    assert "urllib3" in text
    assert len(secrets) >= 5
    assert [secret for secret in secrets if secret in text] == []


def failures(client: RegistryClient, ref: imgref.ImageReference, upload: Upload, *, few: bool) -> list[str]:
    """Return all that can be seen of the errors of some calls."""
    calls: list[Callable[[], object]] = [
        lambda: client.resolve(ref.with_tag("none")),
        lambda: client.list_tags(ref.with_path("nowhere/app")),
        lambda: client.put_blob(upload, lambda: [b"x"], 1, "sha256:" + 64 * "0"),
    ]
    shown = []
    for call in calls[: 1 if few else None]:
        with pytest.raises(ImgrefError) as caught:
            call()
        error = caught.value
        shown += [repr(error), str(error), str(vars(error)), *traceback.format_exception(error)]
    return shown


def test_on_a_terminal_the_password_is_not_shown(htpasswd: Registry, home: Home) -> None:
    import pty

    def answer(place: int, question: bytes, text: str) -> bytes:
        shown = b""
        while question not in shown:
            shown += os.read(place, 1024)
        os.write(place, f"{text}\n".encode())
        return shown

    place, terminal = pty.openpty()
    command = [sys.executable, "-m", "imgref", "login", htpasswd.host]
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=home.environ, start_new_session=True
    ) as process:
        os.close(terminal)
        shown = answer(place, b"Username: ", USER) + answer(place, b"Password for ada: ", PASSWORD)
        with contextlib.suppress(OSError):
            while data := os.read(place, 1024):
                shown += data
    os.close(place)
    assert process.returncode == 0, shown
    assert b"logged in to" in shown
    assert PASSWORD.encode() not in shown
