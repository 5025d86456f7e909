"""Checks the image references in files by a policy.

>>> from imgref.check import check_paths, load_policy
>>> for finding in check_paths(["."], load_policy()):  # doctest: +SKIP
...     print(f"{finding.path}:{finding.line}:{finding.column}: {finding.code} {finding.message}")

- :func:`load_policy`: the policy in a project's settings
- :func:`check_paths`: the findings in files and directories
- :func:`report`: findings as text, JSON, SARIF, or in the formats of GitHub and GitLab
"""

from __future__ import annotations

from imgref import _lazily

TYPE_CHECKING = False

if TYPE_CHECKING:
    from imgref.check.finding import Finding
    from imgref.check.paths import check_paths
    from imgref.check.policy import Exemption, Policy
    from imgref.check.reports import report
    from imgref.check.runner import Checked, Options
    from imgref.check.settings import load_policy

__all__ = ["Checked", "Exemption", "Finding", "Options", "Policy", "check_paths", "load_policy", "report"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = _lazily(
        __name__,
        {
            "finding": ("Finding",),
            "paths": ("check_paths",),
            "policy": ("Exemption", "Policy"),
            "reports": ("report",),
            "runner": ("Checked", "Options"),
            "settings": ("load_policy",),
        },
    )
