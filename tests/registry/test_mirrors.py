"""Which places a reference is looked up in, as daemon.json and registries.conf say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref.errors import ConfigError, RegistryError
from imgref.reference import parse
from imgref.registry.mirrors import Mirror, Mirrors, Namespace

DAEMON = "root/etc/docker/daemon.json"
CONF = "root/etc/containers/registries.conf"
DIGEST = "sha256:" + 64 * "0"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(where: Path, **environ: str) -> Mirrors:
    return Mirrors.load({"HOME": str(where / "home"), **environ}, where / "root")


def places(mirrors: Mirrors, reference: str) -> list[str]:
    return [str(location.ref) for location in mirrors.locations(parse(reference, default_tag=None))]


def test_locations_without_settings_are_the_origin_alone(tmp_path: Path) -> None:
    mirrors = load(tmp_path)
    assert mirrors == Mirrors()
    (origin,) = mirrors.locations(parse("nginx:1.27"))
    assert (str(origin.ref), origin.is_mirror, origin.insecure) == ("docker.io/library/nginx:1.27", False, False)


def test_locations_of_docker_hub_begin_with_the_mirrors_of_docker(tmp_path: Path) -> None:
    text = json.dumps({"registry-mirrors": ["https://Mirror.example/", "http://10.0.0.1:5000"]}, indent=1)
    path = write(tmp_path / DAEMON, text)
    mirrors = load(tmp_path)
    assert mirrors.hub == (
        Mirror("mirror.example", source=f"{path}:3"),
        Mirror("10.0.0.1:5000", insecure=True, source=f"{path}:4"),
    )
    assert mirrors.files == (path,)
    assert places(mirrors, "nginx:1.27") == [
        "mirror.example/library/nginx:1.27",
        "10.0.0.1:5000/library/nginx:1.27",
        "docker.io/library/nginx:1.27",
    ]
    assert places(mirrors, f"acme/app@{DIGEST}")[0] == f"mirror.example/acme/app@{DIGEST}"
    assert places(mirrors, "ghcr.io/acme/app:1") == ["ghcr.io/acme/app:1"]


def test_locations_of_rootless_docker_follow_those_of_the_system(tmp_path: Path) -> None:
    write(tmp_path / DAEMON, '{"registry-mirrors": ["https://one.example"]}')
    write(tmp_path / "home/.config/docker/daemon.json", '{"registry-mirrors": ["https://two.example"]}')
    assert places(load(tmp_path), "nginx")[:2] == ["one.example/library/nginx", "two.example/library/nginx"]


MANY = """\
unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "example.com/foo"
location = "internal.example:5000/bar"
[[registry.mirror]]
location = "mirror-0.local/mirror-for-foo"
[[registry.mirror]]
location = "mirror-1.local/mirrors/foo"
insecure = true
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "mirror-2.local"
pull-from-mirror = "tag-only"
[[registry]]
location = "registry.example"
mirror-by-digest-only = true
[[registry.mirror]]
location = "mirror.registry.example"
[[registry]]
prefix = "*.wild.example"
[[registry.mirror]]
location = "mirror.wild.example:5000"
[[registry]]
prefix = "docker.io/library/alpine"
location = "alpine.example/alpine"
[[registry]]
location = "bad.example"
blocked = true
[[registry]]
prefix = "bad.example/good"
location = "bad.example/good"
"""


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (
            "example.com/foo/image:1",
            [
                "mirror-0.local/mirror-for-foo/image:1",
                "mirror-2.local/image:1",
                "internal.example:5000/bar/image:1",
            ],
        ),
        (
            f"example.com/foo/image@{DIGEST}",
            [
                f"mirror-0.local/mirror-for-foo/image@{DIGEST}",
                f"mirror-1.local/mirrors/foo/image@{DIGEST}",
                f"internal.example:5000/bar/image@{DIGEST}",
            ],
        ),
        # A tag with a digest is looked up by its digest.
        (
            f"example.com/foo/image:1@{DIGEST}",
            [
                f"mirror-0.local/mirror-for-foo/image:1@{DIGEST}",
                f"mirror-1.local/mirrors/foo/image:1@{DIGEST}",
                f"internal.example:5000/bar/image:1@{DIGEST}",
            ],
        ),
        # The tags of a repository: not from a mirror for digests only.
        (
            "example.com/foo/image",
            ["mirror-0.local/mirror-for-foo/image", "mirror-2.local/image", "internal.example:5000/bar/image"],
        ),
        ("example.com/foobar/image:1", ["example.com/foobar/image:1"]),
        ("example.com/fo:1", ["example.com/fo:1"]),
        ("registry.example/app:1", ["registry.example/app:1"]),
        ("registry.example:5000/app:1", ["registry.example:5000/app:1"]),
        (f"registry.example/app@{DIGEST}", [f"mirror.registry.example/app@{DIGEST}", f"registry.example/app@{DIGEST}"]),
        ("a.wild.example/x/app:1", ["mirror.wild.example:5000/x/app:1", "a.wild.example/x/app:1"]),
        ("a.b.wild.example:8443/app:1", ["mirror.wild.example:5000/app:1", "a.b.wild.example:8443/app:1"]),
        ("wild.example/app:1", ["wild.example/app:1"]),
        ("notwild.example/app:1", ["notwild.example/app:1"]),
        ("alpine:3.20", ["alpine.example/alpine:3.20"]),
        ("alpine/git:1", ["docker.io/alpine/git:1"]),
        ("bad.example/good/app:1", ["bad.example/good/app:1"]),
    ],
)
def test_locations_follow_registries_conf(reference: str, expected: list[str], tmp_path: Path) -> None:
    write(tmp_path / CONF, MANY)
    assert places(load(tmp_path), reference) == expected


def test_locations_have_their_kind_and_trust(tmp_path: Path) -> None:
    path = write(tmp_path / CONF, MANY)
    found = load(tmp_path).locations(parse(f"example.com/foo/image@{DIGEST}"))
    assert [(one.is_mirror, one.insecure, one.source) for one in found] == [
        (True, False, f"{path}:6"),
        (True, True, f"{path}:8"),
        (False, False, f"{path}:3"),
    ]


def test_locations_of_what_is_blocked_are_refused_with_the_line(tmp_path: Path) -> None:
    path = write(tmp_path / CONF, MANY)
    with pytest.raises(RegistryError, match=f"^bad.example/app:1: pulling from bad.example is blocked in {path}:27$"):
        load(tmp_path).locations(parse("bad.example/app:1"))


def test_namespaces_of_later_files_replace_those_of_the_same_prefix(tmp_path: Path) -> None:
    entry = '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "{}.example"\n'
    write(tmp_path / CONF, entry.format("main"))
    write(tmp_path / f"{CONF}.d/1.conf", entry.format("first"))
    write(tmp_path / f"{CONF}.d/2.conf", entry.format("second") + '[[registry]]\nlocation = "quay.io"\n')
    assert places(load(tmp_path), "nginx") == ["second.example/library/nginx", "docker.io/library/nginx"]
    write(tmp_path / "home/.config/containers/registries.conf.d/1.conf", entry.format("own"))
    assert places(load(tmp_path), "nginx")[0] == "own.example/library/nginx"
    named = write(tmp_path / "named.conf", entry.format("named"))
    assert places(load(tmp_path, CONTAINERS_REGISTRIES_CONF=str(named)), "nginx")[0] == "named.example/library/nginx"


def test_own_registries_conf_replaces_that_of_the_system(tmp_path: Path) -> None:
    write(tmp_path / CONF, MANY)
    write(tmp_path / "home/.config/containers/registries.conf", '[[registry]]\nlocation = "own.example"\n')
    assert [namespace.prefix for namespace in load(tmp_path).namespaces] == ["own.example"]


def test_mirrors_of_both_engines_count_once(tmp_path: Path) -> None:
    write(tmp_path / DAEMON, '{"registry-mirrors": ["https://mirror.example"]}')
    text = '[[registry]]\nlocation = "docker.io"\n'
    text += "".join(f'[[registry.mirror]]\nlocation = "{host}"\n' for host in ("mirror.example", "docker.io"))
    write(tmp_path / CONF, text)
    assert places(load(tmp_path), "nginx") == ["mirror.example/library/nginx", "docker.io/library/nginx"]


def test_name_comes_before_a_wildcard_that_covers_as_much() -> None:
    mirrors = Mirrors(namespaces=(Namespace("*.example", "wild.local"), Namespace("a.example", "named.local")))
    assert places(mirrors, "a.example/app:1") == ["named.local/app:1"]
    assert places(Mirrors(namespaces=mirrors.namespaces[::-1]), "a.example/app:1") == ["named.local/app:1"]
    assert places(mirrors, "b.example/app:1") == ["wild.local/app:1"]


def test_prefix_may_end_in_a_tag() -> None:
    mirrors = Mirrors(namespaces=(Namespace("a.example/app:1", "b.example/app"),))
    assert places(mirrors, "a.example/app:1") == ["b.example/app:1"]
    assert places(mirrors, "a.example/app:12") == ["a.example/app:12"]


ONLY_DIGESTS = 'location = "a.example"\nmirror-by-digest-only = true'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (DAEMON, '{"registry-mirrors": "https://a.example"}', ":1: registry-mirrors must be a list of strings"),
        (DAEMON, '{"registry-mirrors": [1]}', ":1: registry-mirrors must be a list of strings"),
        *(
            (DAEMON, json.dumps({"registry-mirrors": [url]}), ":1: registry-mirrors takes URLs")
            for url in ("a.example", "ftp://a.example", "https://", "https://a.example/x", "https://u:s3cret@a.example")
        ),
        (DAEMON, '{"registry-mirrors": ["https://[::1"]}', ":1: registry-mirrors takes URLs"),
        (CONF, 'registry = "docker.io"', ": registry must be a list of tables"),
        (CONF, "[[registry]]\nblocked = true", ":1: a [[registry]] needs a location"),
        (CONF, '[[registry]]\nprefix = "a.example"', ":2: a [[registry]] needs a location"),
        (CONF, "[[registry]]\nlocation = 1", ":1: location must be a string"),
        (CONF, '[[registry]]\nlocation = "a.example"\nblocked = "true"', ":2: blocked must be true or false"),
        (CONF, '[[registry]]\nlocation = "a.example"\ninsecure = 1', ":2: insecure must be true or false"),
        (CONF, '[[registry]]\nlocation = "https://a.example"', ":2: 'https://a.example' is a URL"),
        (CONF, '[[registry]]\nlocation = "https://u:s3cret@a.example"', ":2: 'https://***@a.example' is a URL"),
        (CONF, '[[registry]]\nlocation = "u:s3cret@a.example"', ":2: '***@a.example' does not begin with a registry"),
        (CONF, '[[registry]]\nlocation = "acme/app"', ":2: 'acme/app' does not begin with a registry"),
        (CONF, '[[registry]]\nlocation = "not a host.example"', ":2: 'not a host.example' does not begin"),
        (CONF, '[[registry]]\nprefix = "a.*.example"\nlocation = "a.example"', ":2: 'a.*.example' does not begin"),
        (CONF, '[[registry]]\nprefix = "*.a.example/x"\nlocation = "a.example"', ":2: '*.a.example/x' does not begin"),
        (CONF, '[[registry]]\nlocation = "a.example"\nmirror = ["b.example"]', ":2: mirror must be a list of tables"),
        (CONF, '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\n', ":2: a [[registry.mirror]] needs a loc"),
        (
            CONF,
            '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\nlocation = "b.io"\npull-from-mirror = "tags"',
            ":4: pull-from-mirror is all, digest-only or tag-only, not 'tags'",
        ),
        (
            CONF,
            f'[[registry]]\n{ONLY_DIGESTS}\n[[registry.mirror]]\nlocation = "b.io"\npull-from-mirror = "all"',
            ":5: pull-from-mirror cannot be combined with mirror-by-digest-only",
        ),
    ],
)
def test_settings_that_their_own_tools_refuse_are_named(name: str, text: str, said: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(f"{path}{said}")
    assert "s3cret" not in str(caught.value)


def test_location_that_fits_no_reference_is_named_when_it_is_used(tmp_path: Path) -> None:
    path = write(tmp_path / CONF, '[[registry]]\nprefix = "a.example"\nlocation = "b.example/Upper"\n')
    with pytest.raises(ConfigError, match=f"^{path}:2: location 'b.example/Upper' does not fit a.example/app:1: "):
        load(tmp_path).locations(parse("a.example/app:1"))


HOST = st.sampled_from(["docker.io", "ghcr.io", "a.example", "b.a.example", "a.example:5000", "localhost:5000"])
PATH = st.lists(st.sampled_from(["library", "acme", "app", "nginx"]), min_size=1, max_size=3).map("/".join)
PLACE = st.one_of(HOST, st.tuples(HOST, PATH).map("/".join))
MIRROR = st.builds(Mirror, PLACE, st.booleans(), st.sampled_from(["all", "digest-only", "tag-only"]))
NAMESPACE = st.builds(
    Namespace,
    st.one_of(PLACE, HOST.map(lambda host: f"*.{host.partition(':')[0]}")),
    st.one_of(st.just(""), PLACE),
    mirrors=st.lists(MIRROR, max_size=3).map(tuple),
)
MIRRORS = st.builds(
    Mirrors,
    hub=st.lists(HOST.map(Mirror), max_size=2).map(tuple),
    namespaces=st.lists(NAMESPACE, max_size=4).map(tuple),
)
REFERENCE = st.tuples(HOST, PATH, st.sampled_from(["", ":1", f"@{DIGEST}", f":1@{DIGEST}"])).map(
    lambda parts: parse(f"{parts[0]}/{parts[1]}{parts[2]}", default_tag=None)
)


@given(MIRRORS, REFERENCE)
def test_locations_end_with_the_only_origin_and_keep_tag_and_digest(mirrors: Mirrors, reference: object) -> None:
    ref = parse(str(reference), default_tag=None)
    try:
        found = mirrors.locations(ref)
    except ConfigError:
        # A whole repository was mapped to a registry without a path.
        assert any(namespace.prefix == ref.repository for namespace in mirrors.namespaces)
        return
    assert [location.is_mirror for location in found] == [True] * (len(found) - 1) + [False]
    assert {(location.ref.tag, location.ref.digest) for location in found} == {(ref.tag, ref.digest)}
    assert len({location.ref for location in found}) == len(found)
    if not any(namespace.match(ref) for namespace in mirrors.namespaces):
        assert found[-1].ref == ref
