"""The commands that look and retag, against each kind of registry; skopeo is the witness."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from e2e.commands import Home, Ran
from e2e.fault_proxy import Action, FaultProxy, status
from e2e.images import DOCKER, OCI, link_tags, put_image, put_index
from e2e.servers import PASSWORD, USER, Registry, require

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]


def logged_in(home: Home, registry: Registry) -> Home:
    if registry.credentials:
        ran = home.imgref("login", registry.host, "-u", USER, "--password-stdin", input=f"{PASSWORD}\n")
        assert ran.code == 0, ran.err
    return home


def skopeo_inspect(registry: Registry, reference: str, *more: str) -> bytes:
    program = require("skopeo")
    import subprocess

    credentials = ["--creds", f"{USER}:{PASSWORD}"] if registry.credentials else ["--no-creds"]
    ran = subprocess.run(
        [program, "inspect", "--tls-verify=false", *credentials, *more, f"docker://{reference}"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


KINDS = {
    "oci manifest": lambda registry, path: put_image(registry, path, "1.0.0", OCI),
    "docker manifest": lambda registry, path: put_image(registry, path, "1.0.0", DOCKER),
    "oci index": lambda registry, path: put_index(registry, path, "1.0.0", OCI),
    "docker index": lambda registry, path: put_index(registry, path, "1.0.0", DOCKER),
}


@pytest.mark.parametrize("kind", KINDS)
def test_retagging_keeps_bytes_and_media_type(kind: str, registry: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    image = KINDS[kind](registry, path)
    repository = f"{registry.host}/{path}"
    other = f"{registry.host}/{unique('other')}:stable"
    ran = logged_in(home, registry).imgref("tag", f"{repository}:1.0.0", "1.0", "latest", other)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        f"{reference}@{image.digest}" for reference in (f"{repository}:1.0", f"{repository}:latest", other)
    ]
    for reference in (f"{repository}:1.0", f"{repository}:latest", other):
        assert skopeo_inspect(registry, reference, "--raw") == image.raw
        place, _, tag = reference.removeprefix(f"{registry.host}/").rpartition(":")
        status, headers, _ = registry.request(
            "GET", f"/v2/{place}/manifests/{tag}", headers={"Accept": ", ".join({*OCI.values(), *DOCKER.values()})}
        )
        assert (status, headers["content-type"]) == (200, image.media_type)
        assert home.imgref("digest", reference).out == f"{image.digest}\n"


def test_list_resolve_and_inspect(registry: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    index = put_index(registry, path, "2.0.0")
    image = put_image(registry, path, "1.10.0", DOCKER, text="labelled")
    put_image(registry, path, "1.9.0")
    repository = f"{registry.host}/{path}"
    logged_in(home, registry)

    assert home.imgref("ls", repository).out.split() == ["2.0.0", "1.10.0", "1.9.0"]
    assert home.imgref("digest", f"{repository}:2.0.0", "--pin").out == f"{repository}:2.0.0@{index.digest}\n"

    child = home.imgref("digest", f"{repository}:2.0.0", "--platform", "linux/arm64").out.strip()
    seen = json.loads(skopeo_inspect(registry, f"{repository}@{child}", "--config"))
    assert seen["architecture"] == "arm64"

    fields = home.imgref("inspect", f"{repository}:1.10.0", "--format", "json").json
    assert fields["digest"] == image.digest
    assert fields["labels"] == {"org.example.text": "labelled"}
    assert fields["platform"] == "linux/amd64"
    assert [layer["digest"] for layer in fields["layers"]] == json.loads(
        skopeo_inspect(registry, f"{repository}:1.10.0")
    )["Layers"]
    assert home.imgref("inspect", f"{repository}:2.0.0", "--raw").raw == index.raw
    table = home.imgref("inspect", f"{repository}:2.0.0").out
    assert "linux/arm64" in table
    assert child in table


def test_wrong_password_is_refused_and_nothing_stored(home: Home, htpasswd: Registry, token: Registry) -> None:
    for registry in (htpasswd, token):
        ran = home.imgref("login", registry.host, "-u", USER, "--password-stdin", input="wr0ng-one")
        assert (ran.code, ran.out) == (3, "")
        assert f"error: {registry.host} does not accept the credentials of 'ada'" in ran.err
        assert "wr0ng-one" not in ran.err
        assert not home.docker_config.exists()


def test_without_credentials(home: Home, htpasswd: Registry, token: Registry, unique: Unique) -> None:
    for registry in (htpasswd, token):
        path = unique("private")
        put_image(registry, path, "1.0.0")
        ran = home.imgref("ls", f"{registry.host}/{path}")
        assert (ran.code, ran.out) == (3, "")
        assert f"imgref login {registry.host}" in ran.err or "no permission to read it without credentials" in ran.err


def test_everybody_may_read_what_is_public(home: Home, token: Registry) -> None:
    put_image(token, "public/app", "1.0.0")
    assert home.imgref("ls", f"{token.host}/public/app").out == "1.0.0\n"
    ran = home.imgref("tag", f"{token.host}/public/app:1.0.0", "latest")
    assert ran.code == 3
    assert f"imgref login {token.host}" in ran.err


def test_identity_token(home: Home, token: Registry, unique: Unique) -> None:
    from e2e.token_service import REFRESH_TOKEN

    path = unique("app")
    put_image(token, path, "1.0.0")
    home.docker_config.parent.mkdir()
    home.docker_config.write_text(json.dumps({"auths": {token.host: {"identitytoken": REFRESH_TOKEN}}}))
    ran = home.imgref("tag", f"{token.host}/{path}:1.0.0", "1.0")
    assert ran.code == 0, ran.err
    assert token.tokens is not None
    assert token.tokens.asked[-1].method == "POST"


def test_a_realm_keeps_its_query_and_is_asked_for_both_repositories(
    home: Home, token: Registry, unique: Unique
) -> None:
    path, other = unique("app"), unique("other")
    put_image(token, path, "1.0.0")
    logged_in(home, token)
    assert home.imgref("tag", f"{token.host}/{path}:1.0.0", f"{token.host}/{other}:1.0.0").code == 0
    assert token.tokens is not None
    asked = [request.query for request in token.tokens.asked]
    assert all(query["opaque"] == ["kept/as-is"] for query in asked)
    mounting = {f"repository:{path}:pull", f"repository:{other}:pull,push"}
    assert any(mounting == set(query.get("scope", [])) for query in asked)


def test_1250_tags_come_in_version_order(home: Home, plain: Registry, unique: Unique) -> None:
    import random

    path = unique("many")
    image = put_image(plain, path, "1.0.0")
    names = [f"{major}.{minor}.{patch}" for major in range(5) for minor in range(25) for patch in range(10)]
    shuffled = random.Random(4).sample(names, len(names))
    link_tags(plain, path, image, shuffled)
    listed = home.imgref("ls", f"{plain.host}/{path}").out.split()
    assert len(listed) == 1250
    assert listed == sorted(names, key=lambda name: tuple(map(int, name.split("."))), reverse=True)


def missing(home: Home, *arguments: str) -> Ran:
    ran = home.imgref(*arguments)
    assert (ran.code, ran.out) == (4, "")
    assert "Traceback" not in ran.err
    return ran


def test_what_is_not_there(home: Home, registry: Registry, unique: Unique) -> None:
    path = unique("app")
    put_image(registry, path, "1.0.0")
    logged_in(home, registry)
    repository = f"{registry.host}/{path}"
    nowhere = f"{registry.host}/{unique('nowhere')}"
    assert missing(home, "digest", f"{repository}:9").err == f"error: {repository}:9: no such tag\n"
    assert missing(home, "digest", f"{nowhere}:9").err == f"error: {nowhere}:9: no such repository\n"
    assert missing(home, "ls", nowhere).err == f"error: {nowhere}: no such repository\n"
    digest = "sha256:" + 64 * "0"
    assert f"{repository}@{digest}: no such digest" in missing(home, "inspect", f"{repository}@{digest}").err
    assert "no image for windows/amd64; it is for linux/amd64" in (
        missing(home, "digest", f"{repository}:1.0.0", "--platform", "windows/amd64").err
    )


def test_exists_reports_by_exit_code_and_prints_nothing(home: Home, registry: Registry, unique: Unique) -> None:
    path = unique("app")
    image = put_image(registry, path, "1.0.0")
    logged_in(home, registry)
    repository = f"{registry.host}/{path}"
    there = (f"{repository}:1.0.0", f"{repository}@{image.digest}")
    for more, code in (
        (there, 0),
        ((*there, f"{repository}:9"), 4),
        ((f"{repository}:9", *there), 4),
        ((f"{registry.host}/{unique('nowhere')}:1",), 4),
        ((f"{repository}@sha256:{64 * '0'}",), 4),
        ((there[0], "--platform", "linux/amd64"), 0),
        ((there[0], "--platform", "windows/amd64"), 4),
    ):
        ran = home.imgref("exists", *more)
        assert (ran.code, ran.out, ran.err) == (code, "", "")


@pytest.mark.usefixtures("short_waits")
def test_exists_that_cannot_find_out_is_a_failure(home: Home, htpasswd: Registry, faulty: FaultProxy) -> None:
    put_image(htpasswd, "private/app", "1.0.0")
    assert home.imgref("exists", f"{htpasswd.host}/private/app:1.0.0").code == 3
    assert home.imgref("exists", "Acme/App").code == 2
    assert home.imgref("exists").code == 2
    for page in (b"<html>gone</html>", b'{"message": "maintenance"}', b"[]"):
        faulty.faults.clear()
        faulty.add(status(404, page), times=-1)
        ran = home.imgref("exists", f"{faulty.host}/app:1.0.0", f"{faulty.host}/app:9")
        assert (ran.code, ran.out) == (3, "")
        assert "is 127.0.0.1:" in ran.err


@pytest.mark.parametrize(
    "fault",
    [status(404), status(404, b""), status(200, b"{}"), status(200, b'{"tags": null}'), status(503, Retry_After="0")],
    ids=["404", "404-empty", "empty-object", "null", "503"],
)
def test_tags_with_a_registry_that_lists_wrongly_prints_nothing(
    fault: Action, home: Home, plain: Registry, faulty: FaultProxy, unique: Unique
) -> None:
    path = unique("app")
    link_tags(plain, path, put_image(plain, path, "2.0.0"), ["latest"])
    faulty.add(fault, "GET", "/tags/list", times=-1)
    arguments = ("tags", "1.4.3", "--existing", "registry", "--image", f"{faulty.host}/{path}")
    ran = home.imgref(*arguments, first="from e2e.waits import patience; patience(0.05)")
    assert (ran.code, ran.out) == (3, "")


def test_tags_with_a_registry_that_is_empty_are_those_of_a_first_release(home: Home, plain: Registry) -> None:
    ran = home.imgref("tags", "1.4.3", "--existing", "registry", "--image", f"{plain.host}/nothing/here")
    assert ran.out.split() == [f"{plain.host}/nothing/here:{tag}" for tag in ("1.4.3", "1.4", "1", "latest")]
    assert "0 versions" in ran.err


def test_tags_ask_the_registry(home: Home, plain: Registry, unique: Unique) -> None:
    path = unique("app")
    image = put_image(plain, path, "2.0.0")
    link_tags(plain, path, image, ["1.4.2"])
    ran = home.imgref("tags", "1.4.3", "--existing", "registry", "--image", f"{plain.host}/{path}")
    assert ran.out.split() == [f"{plain.host}/{path}:{tag}" for tag in ("1.4.3", "1.4", "1")]
