"""References to public registries, looked up through mirrors that real daemon.json and registries.conf name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from e2e.commands import Home
from e2e.connect_proxy import ConnectProxy
from e2e.images import Image, put_image, put_index
from e2e.servers import Registry, require, run_registry

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]

CONF = """\
unqualified-search-registries = ["docker.io"]

[[registry]]
prefix = "ghcr.io"
location = "ghcr.io"
[[registry.mirror]]
location = "{host}/ghcr"

[[registry]]
prefix = "quay.io"
location = "{host}/quay"

[[registry]]
location = "registry.k8s.io"
blocked = true
"""


@pytest.fixture(scope="module")
def cache(plain: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A pull-through cache of the plain registry."""
    with run_registry(tmp_path_factory.mktemp("cache"), proxied=plain.host) as registry:
        yield registry


@pytest.fixture(scope="module")
def images(plain: Registry) -> dict[str, Image]:
    nginx = put_index(plain, "library/nginx", "1.27.3", more={"created": "2024-03-01T10:20:30Z"})
    for tag in ("1.27", "latest"):
        plain.put_manifest("library/nginx", tag, nginx.raw, nginx.media_type)
    return {
        "docker.io/library/nginx:1.27.3": nginx,
        "ghcr.io/acme/app:2.0": put_image(plain, "ghcr/acme/app", "2.0", text="ghcr"),
        "quay.io/acme/app:3.0": put_image(plain, "quay/acme/app", "3.0", text="quay"),
    }


def configure(home: Home, registry: Registry) -> tuple[Path, Path]:
    """Write the settings of rootless Docker, and those of containers' tools."""
    config = home.path / "home" / ".config"
    daemon, conf = config / "docker" / "daemon.json", config / "containers" / "registries.conf"
    for path in (daemon, conf):
        path.parent.mkdir(parents=True)
    daemon.write_text(json.dumps({"registry-mirrors": [f"http://{registry.host}"]}))
    conf.write_text(CONF.format(host=registry.host))
    # Without a way out: a proxy that refuses connections, which loopback does not use.
    home.environ |= {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    return daemon, conf


@pytest.mark.parametrize("through", ["plain", "cache"])
def test_references_to_public_registries_are_looked_up_on_the_mirror(
    through: str, home: Home, images: dict[str, Image], request: pytest.FixtureRequest
) -> None:
    registry: Registry = request.getfixturevalue(through)
    configure(home, registry)
    ran = home.imgref("digest", *images)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.split() == [image.digest for image in images.values()]
    fields = home.imgref("inspect", "ghcr.io/acme/app:2.0", "--format", "json").json
    assert (fields["answered_by"], fields["labels"]) == (registry.host, {"org.example.text": "ghcr"})
    assert fields["reference"] == "ghcr.io/acme/app:2.0"
    assert home.imgref("which", "nginx").out == "1.27.3\n"
    rows = home.imgref("ls", "nginx", "--long", "--format", "json").json
    (row,) = (row for row in rows if row["tag"] == "1.27.3")
    assert (row["tag"], row["aliases"]) == ("1.27.3", ["1.27", "latest"])
    assert row["platforms"] == ["linux/amd64", "linux/arm64"]
    assert (row["created"], row["answered_by"]) == ("2024-03-01T10:20:30Z", registry.host)
    assert home.imgref("exists", *images).code == 0


def test_skopeo_finds_the_same_images_through_the_same_registries_conf(
    home: Home, plain: Registry, images: dict[str, Image]
) -> None:
    _, conf = configure(home, plain)
    # skopeo asks loopback for https unless it is insecure.
    text = conf.read_text().replace(
        f'location = "{plain.host}/ghcr"', f'location = "{plain.host}/ghcr"\ninsecure = true'
    )
    conf.write_text(text.replace(f'location = "{plain.host}/quay"', f'location = "{plain.host}/quay"\ninsecure = true'))
    for reference in ("ghcr.io/acme/app:2.0", "quay.io/acme/app:3.0"):
        ran = home.run(require("skopeo"), "inspect", "--raw", f"docker://{reference}")
        assert ran.raw == images[reference].raw, ran.err
        assert home.imgref("inspect", "--raw", reference).raw == images[reference].raw
    blocked = home.run(require("skopeo"), "inspect", "docker://registry.k8s.io/pause:3")
    assert blocked.code != 0
    assert "blocked" in blocked.err
    ran = home.imgref("digest", "registry.k8s.io/pause:3")
    assert (ran.code, ran.out) == (3, "")
    assert "pulling from registry.k8s.io is blocked in" in ran.err


@pytest.mark.usefixtures("short_waits")
def test_what_no_mirror_has_is_unknown_if_the_origin_cannot_be_reached(
    home: Home, plain: Registry, images: dict[str, Image]
) -> None:
    configure(home, plain)
    ran = home.imgref("digest", "ghcr.io/acme/app:2.0", "ghcr.io/acme/missing:1", "quay.io/acme/missing:1")
    assert (ran.code, ran.out) == (3, f"{images['ghcr.io/acme/app:2.0'].digest}\n")
    assert "error: ghcr.io/acme/missing:1: " in ran.err
    assert f"error: {plain.host}/quay/acme/missing:1: no such repository" in ran.err


def test_publishing_ignores_mirrors(
    home: Home, tls: Registry, far_tls: ConnectProxy, plain: Registry, unique: Unique
) -> None:
    """The registry with TLS is reached by a name of which the plain one is configured as a mirror."""
    path = unique("app")
    image, other = put_image(tls, path, "1.0.0"), put_image(plain, path, "1.0.0", text="mirror")
    put_image(plain, path, "2.0.0", text="mirror only")
    assert tls.ca is not None
    conf = home.path / "home" / ".config" / "containers" / "registries.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(f'[[registry]]\nlocation = "registry.test"\n[[registry.mirror]]\nlocation = "{plain.host}"\n')
    home.environ |= {"HTTPS_PROXY": far_tls.url}
    trusted, name = ("--cacert", str(tls.ca)), f"registry.test/{path}"
    assert home.imgref("digest", f"{name}:1.0.0", *trusted).out == f"{other.digest}\n"
    assert home.imgref("ls", name, *trusted).out.split() == ["2.0.0", "1.0.0"]

    ran = home.imgref("release", f"{name}:1.0.0", "1.0.0", *trusted)
    assert ran.code == 0, ran.err
    # With the tags of the mirror, latest would have been held by 2.0.0.
    assert home.imgref("tag", f"{name}:latest", "stable", *trusted).out == f"{name}:stable@{image.digest}\n"
    listed = json.loads(tls.request("GET", f"/v2/{path}/tags/list")[2])["tags"]
    assert sorted(listed) == ["1", "1.0", "1.0.0", "latest", "stable"]
    mirrored = json.loads(plain.request("GET", f"/v2/{path}/tags/list")[2])["tags"]
    assert sorted(mirrored) == ["1.0.0", "2.0.0"]
    tags = home.imgref("tags", "1.0.1", "--existing", "registry", "--image", name, *trusted)
    assert f"{name}:latest" in tags.out.split()


@pytest.mark.usefixtures("short_waits")
def test_check_online_asks_the_mirrors_about_public_images(
    plain: Registry, home: Home, images: dict[str, Image]
) -> None:
    configure(home, plain)
    work = home.path / "work"
    current = images["docker.io/library/nginx:1.27.3"].digest
    old = put_image(plain, "library/nginx", "1.26.0", text="old").digest
    (work / "Dockerfile").write_text(f"FROM nginx:1.27.3@{current}\nFROM nginx:1.27@{old}\nFROM ghcr.io/acme/app:2.0\n")
    (work / "compose.yaml").write_text("services:\n  a:\n    image: quay.io/acme/app:4.0\n")
    ran = home.imgref("check", "--online", "--format", "concise")
    assert ran.code == 1, ran.err
    assert [line.split(" ")[:2] for line in ran.out.splitlines()] == [
        ["Dockerfile:2:6:", "IMG601"],
        ["Dockerfile:2:6:", "IMG604"],
        ["compose.yaml:3:12:", "IMG602"],
    ]
    (work / "other.Dockerfile").write_text("FROM registry.k8s.io/pause:3.9\n")
    blocked = home.imgref("check", "--online", "--format", "concise")
    assert (blocked.code, blocked.out) == (3, ran.out), blocked.err
    assert "registry.k8s.io/pause:3.9" in blocked.err
