"""``sarif``: the exchange format of static analysis, version 2.1.0.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from imgref import __version__
from imgref.check.finding import Finding
from imgref.check.reports._identity import fingerprints, relative
from imgref.check.rules import RULES, Rule
from imgref.check.rules.pages import help_text, page
from imgref.check.severity import severity_of

__all__ = ["sarif"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"


def sarif(findings: Sequence[Finding]) -> str:
    """Return a log of one run, with all the rules and their help; locations are relative to the working directory."""
    places = {code: number for number, code in enumerate(RULES)}
    results = [
        {**_result(finding), "ruleIndex": places[finding.code], "partialFingerprints": {"imgref/v1": fingerprint}}
        for finding, fingerprint in zip(findings, fingerprints(findings), strict=True)
    ]
    driver = {"name": "imgref", "version": __version__, "rules": [_descriptor(rule) for rule in RULES.values()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The directory in which the check was started."}}},
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _descriptor(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": f"{rule.summary[0].upper()}{rule.summary[1:]}"},
        "fullDescription": {"text": rule.page.what},
        "help": {"text": help_text(rule), "markdown": page(rule)},
        "defaultConfiguration": {"enabled": rule.default, "level": rule.level},
    }


def _result(finding: Finding) -> dict[str, object]:
    message = finding.message if finding.hint is None else f"{finding.message}. {finding.hint}"
    region = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.line,
        "endColumn": max(finding.end_column, finding.column),
    }
    location = {"uri": _uri(finding.path), "uriBaseId": _ROOT}
    return {
        "ruleId": finding.code,
        "level": severity_of(finding),
        "message": {"text": message},
        "locations": [{"physicalLocation": {"artifactLocation": location, "region": region}}],
    }


def _uri(path: str) -> str:
    """Return a relative URI; a colon in its first component would otherwise make that a scheme."""
    return quote(os.fsencode(relative(path)), safe="/~!$&'()*+,;=@")
