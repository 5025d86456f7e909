"""GitLab CI: ``image`` and ``services`` at the top, in ``default`` and in jobs, hidden ones too.

https://docs.gitlab.com/ci/yaml/#image
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgref.sources.yaml.document import Mapping, Node, Sequence
from imgref.sources.yaml.variables import Scope

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["read"]

_NO_JOBS: Final = frozenset({"cache", "image", "include", "services", "spec", "stages", "variables", "workflow"})


def read(document: Node, found: Found) -> None:
    """Find the images. Variables are substituted if the file sets them, in the job or at its top."""
    if not isinstance(document, Mapping):
        return
    scope = Scope(document.get("variables"))
    _job(document, scope, found)
    for name, job in document.entries():
        if name not in _NO_JOBS and isinstance(job, Mapping) and found.once(job):
            own = job.get("variables")
            _job(job, scope if own is None else Scope(own, scope), found)


def _job(job: Mapping, scope: Scope, found: Found) -> None:
    for image in job.every("image"):
        found.text_or_map(image, "image", "name", resolve=scope.resolve)
    for services in job.every("services"):
        for service in services.items if isinstance(services, Sequence) and found.once(services) else ():
            found.text_or_map(service, "services", "name", resolve=scope.resolve)
