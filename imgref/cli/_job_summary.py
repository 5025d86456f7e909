"""The job summary of GitHub Actions.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from imgref.cli import _console

if TYPE_CHECKING:
    from imgref.check.finding import Finding
    from imgref.check.reports.summary import Summary

__all__ = ["JobSummary", "append_summary"]

_VARIABLE = "GITHUB_STEP_SUMMARY"


def append_summary(markdown: str) -> None:
    """Append to the job summary, if there is one.

    Raises:
        OSError: the file cannot be written.
    """
    path = os.environ.get(_VARIABLE)
    if path:
        with open(path, "ab") as file:
            file.write(markdown.encode("utf-8", "backslashreplace"))


class JobSummary:
    """Appends a summary of the findings to the file that ``GITHUB_STEP_SUMMARY`` names, if it is set.

    Args:
        wanted: whether there is a summary at all.
    """

    def __init__(self, *, wanted: bool) -> None:
        self._summary: Summary | None = None
        if wanted and os.environ.get(_VARIABLE):
            from imgref.check.reports.summary import Summary

            self._summary = Summary()

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in some findings."""
        if self._summary is not None:
            self._summary.add(findings)

    def write(self, line: str) -> None:
        """Append the summary. A check does not fail because its summary cannot be written.

        Args:
            line: the line that sums up the check.
        """
        if self._summary is None:
            return
        try:
            append_summary(_console.shown(self._summary.markdown(line), "\n"))
        except OSError as error:
            _console.warn(f"{_VARIABLE}: {error.filename} cannot be written: {error.strerror}")
