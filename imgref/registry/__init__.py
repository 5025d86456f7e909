"""A client for OCI registries: which host and how, credentials, HTTP, the distribution API, moving images.

>>> from imgref.registry import RegistryClient
>>> with RegistryClient.from_environment() as client:  # doctest: +SKIP
...     client.list_tags(Repository.parse("ghcr.io/acme/app"))
['1', '1.9', '1.9.1', 'latest']

The modules, in the order in which to read them:

- :mod:`imgref.registry.hosts`: which host serves a registry, and how far it is trusted
- :mod:`imgref.registry.credentials`: where credentials are found and kept
- :mod:`imgref.registry.transport`: HTTP, with its retries and redirects
- :mod:`imgref.registry.authorization`: what is sent as ``Authorization``, and to whom
- :mod:`imgref.registry.session`: requests with credentials, and refusals in words
- :mod:`imgref.archive.manifest`: manifests and indexes
- :mod:`imgref.registry.client`: the distribution API, over :mod:`imgref.registry.manifests`,
  :mod:`imgref.registry.blobs` and :mod:`imgref.registry.pages`
- :mod:`imgref.registry.mirrors` and :mod:`imgref.registry.lookup`: its questions, asked of mirrors first
- :mod:`imgref.registry.catalog`: the images of a repository
- :mod:`imgref.registry.transfer.moves`: push, pull and copy, over :mod:`imgref.registry.transfer.uploads`
- :mod:`imgref.registry.release`: the tags of a version, put so that none moves backwards
- :mod:`imgref.registry.transfer.retag`: more tags for an image that is there
- :mod:`imgref.registry.prune`: what nothing needs any more, planned and deleted
"""

from __future__ import annotations

from imgref import _lazily

TYPE_CHECKING = False

if TYPE_CHECKING:
    from imgref.registry.client import RegistryClient
    from imgref.registry.credentials import Credential, Credentials
    from imgref.registry.hosts import Hosts, Trust
    from imgref.registry.overwrite import Overwrite, TagChange
    from imgref.registry.prune.apply import Deletion, apply_prune
    from imgref.registry.prune.plan import PlannedManifest, PrunePlan
    from imgref.registry.prune.planning import plan_prune
    from imgref.registry.prune.reader import RepositoryReader
    from imgref.registry.prune.rules import PruneRules
    from imgref.registry.release import Release, TagOutcome, apply_release, plan_release
    from imgref.registry.transfer.moves import copy, pull, push
    from imgref.registry.transfer.progress import LayerOutcome, Transferred, Watcher
    from imgref.registry.transfer.retag import retag
    from imgref.registry.transport import Event

__all__ = [
    "Credential",
    "Credentials",
    "Deletion",
    "Event",
    "Hosts",
    "LayerOutcome",
    "Overwrite",
    "PlannedManifest",
    "PrunePlan",
    "PruneRules",
    "RegistryClient",
    "Release",
    "RepositoryReader",
    "TagChange",
    "TagOutcome",
    "Transferred",
    "Trust",
    "Watcher",
    "apply_prune",
    "apply_release",
    "copy",
    "plan_prune",
    "plan_release",
    "pull",
    "push",
    "retag",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = _lazily(
        __name__,
        {
            "client": ("RegistryClient",),
            "credentials": ("Credential", "Credentials"),
            "hosts": ("Hosts", "Trust"),
            "overwrite": ("Overwrite", "TagChange"),
            "prune.apply": ("Deletion", "apply_prune"),
            "prune.plan": ("PlannedManifest", "PrunePlan"),
            "prune.planning": ("plan_prune",),
            "prune.reader": ("RepositoryReader",),
            "prune.rules": ("PruneRules",),
            "release": ("Release", "TagOutcome", "apply_release", "plan_release"),
            "transfer.moves": ("copy", "pull", "push"),
            "transfer.progress": ("LayerOutcome", "Transferred", "Watcher"),
            "transfer.retag": ("retag",),
            "transport": ("Event",),
        },
    )
