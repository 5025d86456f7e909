"""The summary of a check in Markdown."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from imgref.check.finding import Finding
from imgref.check.reports.summary import Summary, escaped

FINDING = Finding("a/Dockerfile", 2, 6, 11, "IMG101", "'nginx' has no tag", "write nginx:<version>", "nginx")


def test_a_summary_has_a_table_and_the_rules() -> None:
    summary = Summary()
    summary.add([FINDING])
    assert summary.markdown("1 finding") == (
        "### imgref check\n\n1 finding\n\n"
        "| place | rule | finding |\n|---|---|---|\n"
        "| a&#47;Dockerfile&#58;2 | IMG101&nbsp;implicit&#45;latest "
        "| &#39;nginx&#39; has no tag<br>write nginx&#58;&#60;version&#62; |\n\n"
        "- IMG101 implicit&#45;latest: neither tag nor digest\n"
    )


def test_a_summary_without_findings_is_one_line() -> None:
    assert Summary().markdown("no findings") == "### imgref check\n\nno findings\n\n"


def test_summary_of_many_findings_counts_the_omitted_ones() -> None:
    summary = Summary()
    summary.add(FINDING for _ in range(100_000))
    text = summary.markdown("many")
    assert "99800 more are in the log of this step." in text
    assert len(text) < 1 << 20


@given(st.text(), st.text())
def test_no_name_becomes_markup(path: str, message: str) -> None:
    summary = Summary()
    summary.add([Finding(path, 1, 1, 2, "IMG105", message, message, message)])
    rows = [line for line in summary.markdown(path).split("\n") if line.startswith("| ") and "&#58;1 |" in line]
    assert len(rows) == 1
    place, rule, text = rows[0].strip("| ").split(" | ") if rows[0].count(" | ") == 2 else ("", "", "")
    assert rule == "IMG105&nbsp;invalid&#45;reference"
    for cell in (place, *text.split("<br>")):
        assert not re.search(r"[\\`*_\[\]()<>|~$@]", cell)


def test_long_texts_are_cut() -> None:
    assert len(escaped("a" * 10_000)) == 500
