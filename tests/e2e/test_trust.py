"""Who is spoken to how, and who gets to see credentials. A proxy lends names that are not loopback to the servers."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from e2e import fault_proxy as faults
from e2e.commands import Home
from e2e.connect_proxy import ConnectProxy, run_connect_proxy
from e2e.fault_proxy import FaultProxy, run_fault_proxy
from e2e.images import put_image
from e2e.servers import NAME, PASSWORD, USER, Registry, run_registry

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]
HOST = f"{NAME}:5001"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def through(home: Home, proxy: ConnectProxy) -> Home:
    home.environ |= {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url}
    return home


# Plain http


def test_plain_http_is_never_used_for_a_host_that_is_not_declared(plain: Registry, home: Home) -> None:
    with run_connect_proxy(plain.host) as proxy:
        through(home, proxy)
        for host in (HOST, "127.0.0.1.evil.test:5000", "localhost.evil.test", "registry.test"):
            ran = home.imgref("ls", f"{host}/app", "--timeout", "5")
            assert (ran.code, ran.out) == (3, "")
            declare = f"if that is meant, allow an unverified connection with --insecure {host}"
            assert ran.err == f"error: {host}/app: {host} does not speak https; {declare}\n"
        assert all(line.startswith("CONNECT ") for line in proxy.lines)
        assert len(proxy.lines) == 4


def test_plain_http_for_a_declared_host(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(plain, path, "1.0.0")
    with run_connect_proxy(plain.host) as proxy:
        through(home, proxy)
        assert home.imgref("ls", f"{HOST}/{path}", "--insecure", HOST).out == "1.0.0\n"
        assert home.imgref("ls", f"{HOST}/{path}", "--insecure", f"{NAME}:5002").code == 3
        assert home.imgref("ls", f"{HOST}/{path}", "--insecure", NAME).code == 3


def test_files_of_the_working_tree_declare_nothing(plain: Registry, home: Home) -> None:
    work = home.path / "work"
    for name in (".imgref.toml", "config.toml", ".config/imgref/config.toml", "imgref/config.toml"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(f'insecure-registries = ["{HOST}"]\n[check]\ninsecure-registries = ["{HOST}"]\n')
    (work / ".imgref.toml").write_text(f'[check]\ninsecure-registries = ["{HOST}"]\n')
    (work / "daemon.json").write_text(json.dumps({"insecure-registries": [HOST]}))
    (work / "registries.conf").write_text(f'[[registry]]\nlocation = "{HOST}"\ninsecure = true\n')
    home.environ["XDG_CONFIG_HOME"] = "."
    with run_connect_proxy(plain.host) as proxy:
        assert through(home, proxy).imgref("ls", f"{HOST}/app").code == 3
        assert all(line.startswith("CONNECT ") for line in proxy.lines)


# Certificates


def test_an_unknown_certificate(far_tls: ConnectProxy, tls: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(tls, path, "1.0.0")
    through(home, far_tls)
    ran = home.imgref("ls", f"{HOST}/{path}")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(f"error: {HOST}/{path}: the certificate of {HOST} is not trusted: ")
    assert f"--cacert FILE or as certs.d/{HOST}/ca.crt" in ran.err
    assert f"--insecure {HOST}" in ran.err

    assert tls.ca is not None
    assert home.imgref("ls", f"{HOST}/{path}", "--cacert", str(tls.ca)).out == "1.0.0\n"
    other = home.imgref("ls", f"other.test:5001/{path}", "--cacert", str(tls.ca))
    assert other.code == 3
    assert "Hostname mismatch" in other.err


@pytest.mark.parametrize("base", [".docker/certs.d", ".config/docker/certs.d", ".config/containers/certs.d"])
def test_certificates_of_the_engines(
    base: str, far_tls: ConnectProxy, tls: Registry, home: Home, unique: Unique
) -> None:
    path = unique("app")
    put_image(tls, path, "1.0.0")
    assert tls.ca is not None
    place = home.path / "home" / base / HOST
    place.mkdir(parents=True)
    (place / "ca.crt").write_bytes(tls.ca.read_bytes())
    assert through(home, far_tls).imgref("ls", f"{HOST}/{path}").out == "1.0.0\n"


def store_client_certificate(home: Home, authority: trustme.CA, host: str, *, ca: bool = True) -> Path:
    """Store a client certificate for a host, and the CA of the tests, and return their directory."""
    place = home.path / "home" / ".docker/certs.d" / host
    place.mkdir(parents=True)
    client = authority.issue_cert("client@example.com")
    client.private_key_pem.write_to_path(place / "client.key")
    client.cert_chain_pems[0].write_to_path(place / "client.cert")
    if ca:
        authority.cert_pem.write_to_path(place / "ca.crt")
    return place


def test_client_certificate_goes_to_its_own_host_only(home: Home, authority: trustme.CA, tmp_path: Path) -> None:
    data = tmp_path / "registry"
    data.mkdir()
    with (
        run_registry(data, "tls", authority, client_certificates=True) as registry,
        run_connect_proxy(registry.host) as proxy,
    ):
        through(home, proxy)
        ca = ("--cacert", str(registry.ca), "--timeout", "5")
        ran = home.imgref("ls", f"{HOST}/app", *ca)
        assert ran.code == 3
        assert ran.err.startswith(f"error: {HOST}/app: {HOST} requires a client certificate that it trusts (")
        assert ran.err.endswith(f"; store one as certs.d/{HOST}/client.cert, with client.key\n")
        place = store_client_certificate(home, authority, HOST)
        assert "no such repository" in home.imgref("ls", f"{HOST}/app").err
        for other in (NAME, f"{NAME}:5002"):
            assert f"{other} requires a client certificate" in home.imgref("ls", f"{other}/app", *ca).err
        (place / "client.key").unlink()
        ran = home.imgref("ls", f"{HOST}/app")
        assert (ran.code, ran.out) == (2, "")
        assert f"{place}/client.cert: there is no client.key" in ran.err
        (place / "client.key").write_text("no key")
        ran = home.imgref("ls", f"{HOST}/app")
        assert (ran.code, ran.out) == (2, "")
        assert "not a client certificate with its unencrypted key" in ran.err


def test_client_certificate_is_not_sent_to_the_target_of_a_redirect(home: Home, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME, "127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with run_fault_proxy("", context) as seen, run_connect_proxy(seen.host) as proxy:
        through(home, proxy)
        # Without a CA of its own, so that nothing but the certificate tells the two hosts apart.
        store_client_certificate(home, authority, HOST, ca=False)
        ca = home.path / "ca.pem"
        authority.cert_pem.write_to_path(ca)
        seen.add(faults.redirect(f"https://{NAME}:5002/v2/app/tags/list"), path="/tags/list")
        seen.add(faults.status(200, b'{"tags": ["1.0.0"]}'), path="/tags/list", times=-1)
        ran = home.imgref("ls", f"{HOST}/app", "--cacert", str(ca), "--timeout", "5")
        assert ran.code == 3
        assert f"{NAME}:5002 requires a client certificate" in ran.err
        assert len(seen.seen) == 1
        assert home.imgref("ls", f"{HOST}/app", "--cacert", str(ca)).out == "1.0.0\n"


def own_settings(home: Home) -> None:
    place = home.path / "home" / ".config" / "imgref" / "config.toml"
    place.parent.mkdir(parents=True)
    place.write_text(f'insecure-registries = ["{HOST}"]\n')


def containers_settings(home: Home) -> None:
    place = home.path / "home" / ".config" / "containers" / "registries.conf"
    place.parent.mkdir(parents=True)
    place.write_text(f'[[registry]]\nlocation = "{HOST}"\ninsecure = true\n')


DECLARED: dict[str, Callable[[Home], object]] = {
    "variable": lambda home: home.environ.update(IMGREF_INSECURE_REGISTRIES=f"other.test, {HOST}"),
    "own settings": own_settings,
    "containers": containers_settings,
}


@pytest.mark.parametrize("where", DECLARED)
def test_declared_insecure(where: str, far_tls: ConnectProxy, tls: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(tls, path, "1.0.0")
    through(home, far_tls)
    assert home.imgref("ls", f"{HOST}/{path}").code == 3
    DECLARED[where](home)
    assert home.imgref("ls", f"{HOST}/{path}").out == "1.0.0\n"
    assert HOST in home.imgref("info").out


def test_names_below_localhost_are_this_machine(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(plain, path, "1.0.0")
    port = plain.host.rpartition(":")[2]
    assert home.imgref("ls", f"images.localhost:{port}/{path}").out == "1.0.0\n"


def test_no_proxy(plain: Registry, home: Home) -> None:
    with run_connect_proxy(plain.host) as proxy:
        through(home, proxy).environ["NO_PROXY"] = ".invalid"
        assert "not known to DNS" in home.imgref("ls", "registry.invalid/app").err
        assert proxy.lines == []


def test_credentials_of_a_proxy_go_to_the_proxy_only(
    far_tls: ConnectProxy, tls: Registry, home: Home, unique: Unique
) -> None:
    path = unique("app")
    put_image(tls, path, "1.0.0")
    home.environ["HTTPS_PROXY"] = far_tls.url.replace("//", "//proxy-user:pr0xy-secret@")
    ran = home.imgref("ls", f"{HOST}/{path}", "--cacert", str(tls.ca), "-vv")
    assert ran.out == "1.0.0\n"
    assert "proxy-authorization: basic" in far_tls.requests[0].lower()
    assert "pr0xy" not in ran.err + home.imgref("info").out
    assert far_tls.url in home.imgref("info").out


# Credentials


class Fake:
    """A registry that names a token service, and the token service, behind one proxy; both are recorded."""

    def __init__(self, seen: FaultProxy, proxy: ConnectProxy, home: Home, ca: Path) -> None:
        self.seen, self.proxy, self.home, self.ca = seen, proxy, home, ca

    def ask(self, host: str, realm: str, *options: str) -> str:
        """List tags with credentials for the host; gives stderr."""
        self.home.docker_config.parent.mkdir(exist_ok=True)
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self.home.docker_config.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
        self.seen.faults.clear()
        self.seen.seen.clear()
        self.seen.add(faults.status(200, b'{"token": "t0ken"}'), path="/token", times=-1)
        challenge = f'Bearer realm="{realm}",service="s"'
        self.seen.add(faults.status(401, WWW_Authenticate=challenge), path="/v2/")
        self.seen.add(faults.status(200, b'{"tags": ["1.0.0"]}'), path="/tags/list", times=-1)
        ran = self.home.imgref("ls", f"{host}/app", "--timeout", "5", *options)
        assert PASSWORD not in ran.err
        return ran.err if ran.code else f"{ran.out}{ran.err}"

    @property
    def shown(self) -> list[str | None]:
        """What the token service was shown."""
        return [seen.headers.get("Authorization") for seen in self.seen.seen if "/token" in seen.path]


@pytest.fixture
def fake(home: Home, authority: trustme.CA) -> Iterator[Fake]:
    with fake_on(home, authority, with_tls=True) as found:
        yield found


@contextmanager
def fake_on(home: Home, authority: trustme.CA, *, with_tls: bool) -> Iterator[Fake]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME, "tokens.test", "127.0.0.1").configure_cert(context)
    ca = home.path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    with run_fault_proxy("", context if with_tls else None) as seen, run_connect_proxy(seen.host) as proxy:
        yield Fake(seen, proxy, through(home, proxy), ca)


def test_a_verified_registry_may_name_a_token_service(fake: Fake) -> None:
    assert fake.ask(HOST, "https://tokens.test/token", "--cacert", str(fake.ca)) == "1.0.0\n"
    assert fake.shown == [BASIC]
    assert fake.ask(HOST, "/token", "--cacert", str(fake.ca)) == "1.0.0\n"
    assert fake.shown == [BASIC]


def test_a_token_service_on_plain_http_gets_no_password(fake: Fake, home: Home, authority: trustme.CA) -> None:
    told = fake.ask(HOST, "http://tokens.test/token", "--cacert", str(fake.ca))
    assert "asked for over plain http, which is refused" in told
    assert "token service would be over plain http" in told
    with fake_on(home, authority, with_tls=False) as plain:
        through(home, fake.proxy)
        told = fake.ask(HOST, f"http://{plain.seen.host}/token", "--cacert", str(fake.ca))
        assert "token service would be over plain http" in told
        assert not any("Authorization" in seen.headers for seen in plain.seen.seen)


def test_unverified_registry_cannot_name_a_token_service(fake: Fake) -> None:
    """The name does not fit the certificate, so the declared registry may be anybody."""
    told = fake.ask(
        "wrong.test:5001", "https://tokens.test/token", "--cacert", str(fake.ca), "--insecure", "wrong.test:5001"
    )
    assert "warning: credentials are not sent to tokens.test" in told
    assert "was not reached over verified https" in told
    assert fake.shown == [None]


def test_a_declared_registry_gets_a_password_with_a_warning(fake: Fake) -> None:
    told = fake.ask("wrong.test:5001", "https://wrong.test:5001/token", "--insecure", "wrong.test:5001")
    assert "warning: credentials for wrong.test:5001 are sent over an unverified connection" in told
    assert fake.shown == [BASIC]


def test_a_loopback_registry_names_loopback_only(home: Home, authority: trustme.CA) -> None:
    with fake_on(home, authority, with_tls=False) as registry, fake_on(home, authority, with_tls=False) as service:
        through(home, service.proxy)
        service.seen.add(faults.status(200, b'{"token": "t0ken"}'), path="/token", times=-1)
        assert registry.ask(registry.seen.host, f"http://{service.seen.host}/token") == "1.0.0\n"
        assert service.shown == [BASIC]
        told = registry.ask(registry.seen.host, "http://tokens.test/token")
        assert "credentials are not sent to tokens.test: it would go over plain http" in told
        told = registry.ask(registry.seen.host, "https://tokens.test/token")
        assert "was not reached over verified https" in told


def test_https_is_not_redirected_to_http(fake: Fake, home: Home) -> None:
    fake.seen.add(faults.redirect("http://127.0.0.1:1/{path}"), times=-1)
    ran = home.imgref("ls", f"{HOST}/app", "--cacert", str(fake.ca))
    assert ran.code == 3
    assert "redirects from https to plain http, at 127.0.0.1:1, which is refused" in ran.err


def test_credentials_are_for_one_port(htpasswd: Registry, home: Home) -> None:
    assert home.imgref("login", htpasswd.host, "-u", USER, "--password-stdin", input=PASSWORD).code == 0
    with run_fault_proxy(htpasswd.host) as proxy:
        ran = home.imgref("ls", f"{proxy.host}/app")
        assert f"imgref login {proxy.host}" in ran.err
        assert not any("Authorization" in seen.headers for seen in proxy.seen)
