"""Which host is trusted how: loopback by name alone, declarations exactly as written, nothing from the working tree."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from imgref.errors import ConfigError
from imgref.registry.hosts import ClientCertificate, Hosts, InsecureHost, Proxies, Trust


@pytest.mark.parametrize("host", ["localhost", "a.localhost:5000", "127.255.0.9:80", "[::1]:5000"])
def test_loopback_is_trusted_as_such(host: str) -> None:
    assert Hosts().trust(host) is Trust.LOOPBACK


@pytest.mark.parametrize("host", ["127.0.0.1.evil.com", "localhost.evil.com", "[::2]", "docker.io"])
def test_other_hosts_are_verified(host: str) -> None:
    assert Hosts().trust(host) is Trust.VERIFIED


def load(tmp_path: Path, *insecure: str, **environ: str) -> Hosts:
    return Hosts.load(insecure=insecure, environ={"HOME": str(tmp_path / "home"), **environ}, root=tmp_path / "root")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_declared_means_this_host_and_port(tmp_path: Path) -> None:
    hosts = load(tmp_path, "Registry.local:5001", "http://other.local/", "*.wild.local")
    for host in ("registry.local:5001", "REGISTRY.local:5001", "other.local", "a.wild.local", "a.b.wild.local"):
        assert hosts.trust(host) is Trust.DECLARED
    for host in ("registry.local", "registry.local:9999", "other.local:80", "wild.local", "evilwild.local"):
        assert hosts.trust(host) is Trust.VERIFIED


def test_networks_contain_addresses(tmp_path: Path) -> None:
    hosts = load(tmp_path, "10.1.0.0/16", "fd00::/8")
    assert hosts.trust("10.1.2.3:5000") is Trust.DECLARED
    assert hosts.trust("[fd00::7]:5000") is Trust.DECLARED
    assert hosts.trust("10.2.2.3:5000") is Trust.VERIFIED
    assert hosts.trust("registry.local", {"registry.local": ["10.1.0.9"]}.__getitem__) is Trust.DECLARED
    assert hosts.trust("registry.local", {"registry.local": ["10.3.0.9"]}.__getitem__) is Trust.VERIFIED
    assert hosts.trust("registry.local") is Trust.VERIFIED


def test_every_source_is_named(tmp_path: Path) -> None:
    own = write(tmp_path / "home/.config/imgref/config.toml", 'x = 1\ninsecure-registries = ["own.local"]\n')
    docker = write(
        tmp_path / "root/etc/docker/daemon.json", json.dumps({"insecure-registries": ["docker.local:5000"]}, indent=1)
    )
    conf = write(
        tmp_path / "root/etc/containers/registries.conf",
        '[[registry]]\nlocation = "conf.local"\ninsecure = true\n[[registry]]\nprefix = "safe.local"\n'
        '[[registry.mirror]]\nlocation = "mirror.local:5000"\ninsecure = true\n',
    )
    part = write(
        tmp_path / "root/etc/containers/registries.conf.d/1.conf",
        '[[registry]]\nprefix = "*.part.local"\ninsecure = true\n'
        '[[registry]]\nlocation = "x.local/a"\ninsecure = true\n',
    )
    old = write(
        tmp_path / "home/.config/containers/registries.conf.d/2.conf",
        '[registries.insecure]\nregistries = ["old.local"]\n',
    )
    hosts = load(tmp_path, "said.local", IMGREF_INSECURE_REGISTRIES=" named.local ,,")
    assert hosts.declared == (
        InsecureHost("said.local", "--insecure"),
        InsecureHost("named.local", "IMGREF_INSECURE_REGISTRIES"),
        InsecureHost("own.local", f"{own}:2"),
        InsecureHost("docker.local:5000", f"{docker}:3"),
        InsecureHost("conf.local", f"{conf}:2"),
        InsecureHost("mirror.local:5000", f"{conf}:7"),
        InsecureHost("*.part.local", f"{part}:2"),
        InsecureHost("old.local", f"{old}:2"),
    )
    assert hosts.files == (own, docker, conf, part, old)


@pytest.mark.parametrize("home", ["", ".", "settings"])
def test_a_relative_settings_directory_does_not_count(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / home / "imgref/config.toml", 'insecure-registries = ["evil.local"]\n')
    assert load(tmp_path, XDG_CONFIG_HOME=home).declared == ()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("home/.config/imgref/config.toml", "x = \n", ":1: is not valid TOML: "),
        ("home/.config/imgref/config.toml", '\ninsecure-registries = "x"\n', ":2: insecure-registries must be a list"),
        ("root/etc/docker/daemon.json", '{\n"a": }', ":2: is not valid JSON: "),
        ("root/etc/docker/daemon.json", '{"insecure-registries": [1]}', ":1: insecure-registries must be a list"),
        ("root/etc/containers/registries.conf", "[[registry]\n", ":1: is not valid TOML: "),
    ],
)
def test_a_corrupt_file_is_named_with_its_line(name: str, text: str, said: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(f"{path}{said}")


@pytest.mark.parametrize("host", ["", "a b", "x/y", "user@host", "host:port", "10.0.0.0/99", "*", "*.", "http://"])
def test_invalid_host_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--insecure: "):
        load(tmp_path, host)


def test_certificates(tmp_path: Path) -> None:
    extra = write(tmp_path / "extra.pem", "")
    hub = write(tmp_path / "root/etc/docker/certs.d/docker.io/ca.crt", "")
    write(tmp_path / "root/etc/docker/outside.crt", "")
    own = write(tmp_path / "home/.config/containers/certs.d/registry.local:5001/ca.crt", "")
    hosts = Hosts.load(cacert=extra, environ={"HOME": str(tmp_path / "home")}, root=tmp_path / "root")
    assert hosts.ca_files("registry.local:5001") == (extra, own)
    assert hosts.ca_files("registry-1.docker.io") == (extra, hub)
    assert hosts.ca_files("..") == (extra,)
    with pytest.raises(ConfigError, match="is not a file with CA certificates"):
        Hosts.load(cacert=tmp_path / "none.pem", environ={})


def test_proxies() -> None:
    environ = {
        "HTTP_PROXY": "http://a:1",
        "https_proxy": "b:2",
        "NO_PROXY": "x.corp,.y.corp:5000, 10.0.0.0/8 ,*.z.corp",
    }
    proxies = Proxies.read(environ)
    assert proxies.get("http", "r.example") == "http://a:1"
    assert proxies.get("https", "r.example:5000") == "http://b:2"
    for host in ("x.corp:1", "a.x.corp", "y.corp:5000", "a.y.corp:5000", "10.9.9.9:1", "a.z.corp", "localhost:5000"):
        assert proxies.get("https", host) is None
    assert proxies.get("https", "y.corp:5001") == "http://b:2"
    assert proxies.get("https", "evilx.corp") == "http://b:2"
    assert Proxies.read({"HTTPS_PROXY": "http://p", "NO_PROXY": "*"}).get("https", "r.example") is None
    for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
        assert "s3cret" not in repr(Proxies.read({variable: "http://u:s3cret@p"}))


def test_many_insecure_registries_are_read_in_linear_time(tmp_path: Path) -> None:
    names = [f"r{number}.example:5000" for number in range(20_000)]
    docker = write(
        tmp_path / "root/etc/docker/daemon.json",
        json.dumps({"insecure-registries": [*names, names[7]]}, indent=1),
    )
    start = time.monotonic()
    declared = load(tmp_path).declared
    assert time.monotonic() - start < 5
    assert [(found.host, found.source) for found in declared[:2]] == [
        (names[0], f"{docker}:3"),
        (names[1], f"{docker}:4"),
    ]
    assert declared[-2].source == f"{docker}:20002"


DAEMON = "root/etc/docker/daemon.json"
CONF = "root/etc/containers/registries.conf"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (DAEMON, "[]"),
        (DAEMON, '"insecure-registries"'),
        (DAEMON, '{"insecure-registries": "r.local"}'),
        (DAEMON, '{"insecure-registries": {"r.local": true}}'),
        (DAEMON, '{"insecure-registries": null}'),
        (DAEMON, '{"insecure-registries": ["r.local", null]}'),
        (DAEMON, '{"insecure-registries": ["not a host"]}'),
        (DAEMON, '{"insecure-registries": ["10.0.0.0/99"]}'),
        (DAEMON, "[" * 100_000),
        (CONF, "registry = "),
        (CONF, '[[registry]]\nlocation = "not a host"\ninsecure = true'),
        (CONF, '[registries.insecure]\nregistries = ["not a host"]'),
    ],
)
def test_settings_of_an_engine_that_are_damaged_are_named(name: str, text: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(ConfigError, match=f"^{path}"):
        load(tmp_path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=f"^{path}: is not UTF-8"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (DAEMON, ""),
        (DAEMON, "{}"),
        (DAEMON, '{"insecure-registries": []}'),
        (CONF, ""),
        (CONF, 'registry = "r.local"'),
        (CONF, 'registry = ["r.local", 1]'),
        (CONF, '[registry]\nlocation = "r.local"\ninsecure = true'),
        (CONF, '[[registry]]\nlocation = "r.local"'),
        (CONF, '[[registry]]\nlocation = "r.local"\ninsecure = false'),
        (CONF, '[[registry]]\nlocation = "r.local"\ninsecure = "true"'),
        (CONF, '[[registry]]\nlocation = "r.local"\ninsecure = 1'),
        (CONF, '[[registry]]\nlocation = "r.local/team"\ninsecure = true'),
        (CONF, "[[registry]]\nlocation = 1\ninsecure = true"),
        (CONF, "[[registry]]\ninsecure = true"),
        (CONF, '[[registry]]\nmirror = "r.local"'),
        (CONF, '[[registry]]\nmirror = ["r.local"]'),
        (CONF, 'registries = ["r.local"]'),
        (CONF, "[registries]\ninsecure = true"),
        (CONF, '[registries.insecure]\nregistries = "r.local"'),
        (CONF, "[registries.insecure]\nregistries = [1]"),
        (CONF, '[registries.search]\nregistries = ["r.local"]'),
    ],
)
def test_settings_of_an_engine_that_declare_nothing_switch_nothing_off(name: str, text: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, text)
    hosts = load(tmp_path)
    assert (hosts.declared, hosts.files) == ((), (path,))
    assert hosts.trust("r.local") is Trust.VERIFIED


def test_settings_that_are_a_directory_are_an_error(tmp_path: Path) -> None:
    (tmp_path / DAEMON).mkdir(parents=True)
    (tmp_path / CONF).mkdir(parents=True)
    assert load(tmp_path).files == ()
    (tmp_path / "home/.config/imgref/config.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize("variable", ["CONTAINERS_REGISTRIES_CONF", "REGISTRIES_CONFIG_PATH"])
def test_registries_conf_that_is_named_is_the_only_one(variable: str, tmp_path: Path) -> None:
    text = '[[registry]]\nlocation = "{}.local"\ninsecure = true\n'
    named = write(tmp_path / "named.conf", text.format("named"))
    write(tmp_path / CONF, text.format("system"))
    write(tmp_path / f"{CONF}.d/1.conf", text.format("part"))
    assert [one.host for one in load(tmp_path, **{variable: str(named)}).declared] == ["named.local"]
    own = write(tmp_path / "home/.config/containers/registries.conf", text.format("own"))
    hosts = load(tmp_path)
    assert [one.host for one in hosts.declared] == ["own.local", "part.local"]
    assert hosts.files[0] == own


def test_location_comes_before_prefix(tmp_path: Path) -> None:
    write(tmp_path / CONF, '[[registry]]\nprefix = "name.local"\nlocation = "real.local:5000"\ninsecure = true\n')
    assert [one.host for one in load(tmp_path).declared] == ["real.local:5000"]


def test_declaration_that_applies_first_is_named(tmp_path: Path) -> None:
    asked: list[str] = []

    def resolve(name: str) -> list[str]:
        asked.append(name)
        return ["10.0.0.1"]

    hosts = load(tmp_path, "10.0.0.0/8", "10.0.0.0/16", "r.local:5000")
    found = hosts.declaration("R.local:5000", resolve)
    assert found is not None
    assert (found.host, asked) == ("10.0.0.0/8", ["r.local"])
    assert hosts.declaration("r.local:5000") == InsecureHost("r.local:5000", "--insecure")
    assert hosts.declaration("other.local") is None


def test_proxies_are_shown_without_credentials() -> None:
    environ = {"HTTP_PROXY": "http://ada:s3cret@proxy:1", "https_proxy": "ada:s3cret@proxy:2", "no_proxy": "A.corp, b"}
    assert Proxies.read(environ).shown() == {"http": "http://proxy:1", "https": "proxy:2", "no_proxy": "a.corp,b"}
    assert Proxies.read({}).shown() == {}
    everything = {"all_proxy": "socks5://all:1", "https_proxy": "http://own:2", "NO_PROXY": "a.corp"}
    assert Proxies.read(everything).get("http", "r.example") == "socks5://all:1"
    assert Proxies.read(everything).get("https", "r.example") == "http://own:2"
    assert Proxies.read(everything).get("http", "a.corp") is None
    assert Proxies.read({"HTTP_PROXY": "http://upper", "http_proxy": "http://lower"}).http == "http://upper"


def test_proxies_of_an_empty_environment_are_none() -> None:
    assert Proxies.read({}) == Proxies()


def test_proxy_exception_that_is_a_network_may_name_any_of_its_addresses() -> None:
    proxies = Proxies(https="http://proxy:3128", no_proxy=("10.1.2.3/8",))
    assert proxies.get("https", "10.9.9.9") is None
    assert proxies.get("https", "11.9.9.9") == "http://proxy:3128"


def test_declaration_without_a_star_is_for_the_whole_name_only() -> None:
    hosts = Hosts(declared=(InsecureHost("registry.local", "--insecure"),))
    assert hosts.trust("registry.local") is Trust("declared")
    for host in ("aegistry.local", "a.registry.local", "egistry.local"):
        assert hosts.trust(host) is Trust("verified")


def test_client_certificate_is_a_pair_of_one_name_for_one_host_and_port(tmp_path: Path) -> None:
    own = tmp_path / "home/.docker/certs.d/registry.local:5001"
    system = tmp_path / "root/etc/docker/certs.d"
    for directory in (own, system / "registry.local:5001", system / "docker.io"):
        write(directory / "any.cert", "")
        write(directory / "any.key", "")
    hosts = Hosts.load(environ={"HOME": str(tmp_path / "home")}, root=tmp_path / "root")
    # The user's comes before the system's.
    assert hosts.client_certificate("registry.local:5001") == ClientCertificate(own / "any.cert", own / "any.key")
    assert hosts.client_certificate("registry-1.docker.io") is not None
    for host in ("registry.local", "registry.local:5002", "..", "other.registry.local:5001"):
        assert hosts.client_certificate(host) is None


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["client.cert"], "client.cert: there is no client.key with its private key"),
        (["client.key"], "client.key: there is no client.cert with its certificate"),
        (["a.cert", "b.key"], "a.cert: there is no a.key with its private key"),
        (["client.cert", "client.key/file"], "client.key: cannot be read"),
        (["client.cert/file", "client.key"], "client.cert: cannot be read"),
        (["a.cert", "a.key", "b.cert", "b.key"], "several client certificates, a.cert and b.cert"),
    ],
)
def test_client_certificate_that_is_not_one_readable_pair_is_an_error(
    names: list[str], reason: str, tmp_path: Path
) -> None:
    for name in names:
        write(tmp_path / "certs.d/registry.local" / name, "")
    hosts = Hosts(certificates=(tmp_path / "certs.d",))
    with pytest.raises(ConfigError, match=re.escape(reason)):
        hosts.client_certificate("registry.local")
    assert hosts.client_certificate("other.local") is None


def test_ca_files_of_a_host_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = [f"{letter}.crt" for letter in "hbdgaecf"]
    for name in names:
        write(tmp_path / "certs.d/registry.local" / name, "")
    found = Hosts(certificates=(tmp_path / "certs.d",)).ca_files("registry.local")
    assert [path.name for path in found] == sorted(names)
