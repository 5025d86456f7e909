"""``sarif``: the exchange format of static analysis, version 2.1.0.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from imgref import __version__
from imgref.check.finding import Finding
from imgref.check.reports._identity import fingerprints, uri_of
from imgref.check.reports.notifications import DESCRIPTORS, Notes, invocation
from imgref.check.rules import RULES, Rule
from imgref.check.rules.pages import help_text, page
from imgref.check.severity import severity_of

__all__ = ["sarif"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"


def sarif(findings: Sequence[Finding], notes: Notes | None = None) -> str:
    """Return a log of one run, with all the rules and their help; locations are relative to the working directory.

    Args:
        findings: the findings.
        notes: what else is reported about the run, or None if that is not known.
    """
    places = {code: number for number, code in enumerate(RULES)}
    results = [
        {**_result(finding), "ruleIndex": places[finding.code], "partialFingerprints": {"imgref/v1": fingerprint}}
        for finding, fingerprint in zip(findings, fingerprints(findings), strict=True)
    ]
    sites = project_urls()
    driver = {"name": "imgref", "version": __version__, **_information(sites)}
    driver["rules"] = [{**_descriptor(rule), **_help(rule, sites)} for rule in RULES.values()]
    if notes is not None:
        driver["notifications"] = list(DESCRIPTORS)
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The directory in which the check was started."}}},
        **({} if notes is None else {"invocations": [invocation(notes)]}),
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def project_urls() -> dict[str, str]:
    """Return the addresses of the project by their labels, as the installed package names them."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("imgref").get_all("Project-URL") or []
    except PackageNotFoundError:
        return {}
    return dict(line.split(", ", 1) for line in urls if ", " in line)


def _information(sites: Mapping[str, str]) -> dict[str, object]:
    return {"informationUri": sites["Source"]} if "Source" in sites else {}


def _help(rule: Rule, sites: Mapping[str, str]) -> dict[str, object]:
    """Return where the page of a rule is, in the documentation in the project's repository."""
    if "Documentation" not in sites:
        return {}
    return {"helpUri": f"{sites['Documentation']}/rules.md#{rule.code.lower()}-{rule.name}"}


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
    location = {"uri": uri_of(finding.path), "uriBaseId": _ROOT}
    return {
        "ruleId": finding.code,
        "level": severity_of(finding),
        "message": {"text": message},
        "locations": [{"physicalLocation": {"artifactLocation": location, "region": region}}],
    }
