"""The web address of a repository, from any address that git accepts."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["source_url"]

_WEB_SCHEMES: Final = ("http", "https")
_GIT_SCHEMES: Final = ("ssh", "git", "git+ssh", "ssh+git")
_HOST: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"

_WEB_HOSTS: Final = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}
"""Hosts that accept only SSH, and those of their web pages."""

_AZURE_SSH: Final = ("ssh.dev.azure.com", "vs-ssh.visualstudio.com")


def source_url(address: str) -> str | None:
    """Return the http or https URL of a repository, without credentials, or None if the address has none.

    The ports of SSH and of git's own protocol are dropped, since they are not those of the web server.

    Args:
        address: an address that git accepts.

    >>> source_url("git@github.com:acme/app.git")
    'https://github.com/acme/app'
    >>> source_url("/srv/git/app.git")
    """
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\]", address):
        return None
    scheme, separator, rest = address.partition("://")
    if not separator:
        return _of_scp(address)
    scheme = scheme.lower()
    authority, slash, path = rest.partition("/")
    found = re.fullmatch(rf"({_HOST})(:[0-9]{{1,5}})?", authority.rpartition("@")[2])
    # An @ after the first slash ends a password that contains a slash.
    if found is None or "@" in path:
        return None
    host, port = found[1], found[2] or ""
    if scheme in _GIT_SCHEMES:
        return _of_git(host, path)
    scheme = scheme.removeprefix("git+")
    if scheme not in _WEB_SCHEMES:
        return None
    return f"{scheme}://{host}{port}{slash}{_shortened(path)}".rstrip("/")


def _of_scp(address: str) -> str | None:
    """Read ``[user@]host:path``, which git takes for SSH unless a slash comes before the colon."""
    found = re.fullmatch(rf"([^/:@]+@)?({_HOST}):(.+)", address)
    if found is None:
        return None
    user, host, path = found.groups()
    # Without a user or a domain, the host may be a drive, or an alias from the settings of SSH.
    return _of_git(host, path) if user or "." in host else None


def _of_git(host: str, path: str) -> str | None:
    path = _shortened(path.lstrip("/"))
    if not path or "@" in path:
        return None
    if host.lower() in _AZURE_SSH:
        parts = path.split("/")
        organization, project, repository = parts[1:] if len(parts) == 4 else ("", "", "")
        return f"https://dev.azure.com/{organization}/{project}/_git/{repository}" if repository else None
    return f"https://{_WEB_HOSTS.get(host.lower(), host)}/{path}"


def _shortened(path: str) -> str:
    """Drop a query and a fragment, which may contain a token, and the ``.git`` that only clones need."""
    return re.split("[?#]", path, maxsplit=1)[0].rstrip("/").removesuffix(".git")
