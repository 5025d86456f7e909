"""What a SARIF log says of files that were not checked, and of registries."""

from __future__ import annotations

import json

import jsonschema
import pytest
from vectors import ROOT

from imgref.check.reports.notifications import DESCRIPTORS, Notes
from imgref.check.reports.sarif import sarif
from imgref.check.result import Checked, Status

SCHEMA = json.loads((ROOT / "tests" / "data" / "sarif-2.1.0-parts.json").read_text(encoding="utf-8"))


def run_of(notes: Notes) -> dict[str, object]:
    log = json.loads(sarif([], notes))
    jsonschema.validate(log, SCHEMA)
    (run,) = log["runs"]
    assert run["tool"]["driver"]["notifications"] == list(DESCRIPTORS)
    (invocation,) = run["invocations"]
    assert isinstance(invocation, dict)
    return invocation


@pytest.mark.parametrize(
    ("status", "descriptor", "level"),
    [
        ("unrecognized", "not-understood", "note"),
        ("unknown", "not-understood", "error"),
        ("skipped", "not-checked", "warning"),
        ("unread", "not-checked", "error"),
    ],
)
def test_a_file_that_was_not_checked_is_a_notification(status: Status, descriptor: str, level: str) -> None:
    invocation = run_of(Notes([Checked("a b/x.yaml", status=status, reason="why", line=3)]))
    location = {"artifactLocation": {"uri": "a%20b/x.yaml", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 3}}
    assert invocation == {
        "executionSuccessful": True,
        "toolExecutionNotifications": [
            {
                "descriptor": {"id": descriptor},
                "level": level,
                "message": {"text": "why"},
                "locations": [{"physicalLocation": location}],
            }
        ],
    }
    assert descriptor in {one["id"] for one in DESCRIPTORS}


def test_excluded_files_have_no_notification_and_files_are_in_order() -> None:
    statuses: dict[str, Status] = {
        "b.yaml": "unread",
        "a/c.sh": "unrecognized",
        "x": "excluded",
        "a.sh": "unrecognized",
    }
    invocation = run_of(Notes([Checked(path, status=status) for path, status in statuses.items()]))
    told = invocation["toolExecutionNotifications"]
    assert isinstance(told, list)
    paths = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in told]
    assert paths == ["a/c.sh", "a.sh", "b.yaml"]
    assert all(one["message"]["text"] for one in told)


def test_run_without_notifications_is_successful() -> None:
    assert run_of(Notes()) == {"executionSuccessful": True}
    assert run_of(Notes(failed=True)) == {"executionSuccessful": False}


def test_a_registry_that_did_not_answer_makes_a_run_unsuccessful() -> None:
    invocation = run_of(Notes(failures={"r.example": "timed out", "a:1": "a:1: denied"}))
    assert invocation["executionSuccessful"] is False
    told = invocation["toolExecutionNotifications"]
    assert isinstance(told, list)
    assert [one["message"]["text"] for one in told] == ["r.example: timed out", "a:1: denied"]
