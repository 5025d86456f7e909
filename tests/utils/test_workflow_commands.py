"""Workflow commands: what could end one, or a property of it, is escaped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imgref._utils.workflow_commands import workflow_command


def unescaped(text: str) -> str:
    """Return what GitHub's runner reads: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts."""
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, character)
    return text


@given(st.text(), st.text())
def test_workflow_command_is_one_line_that_reads_back(title: str, message: str) -> None:
    command = workflow_command("notice", {"title": title}, message)
    assert not {"\r", "\n"} & {*command}
    name, properties, rest = command.removeprefix("::").partition(" ")[0], *command.split(" ", 1)[1].split("::", 1)
    assert (name, unescaped(properties), unescaped(rest)) == ("notice", f"title={title}", message)


def test_workflow_command_with_several_properties_separates_them_by_commas() -> None:
    command = workflow_command("error", {"file": "a,b:c", "line": 2}, "no tag")
    assert command == "::error file=a%2Cb%3Ac,line=2::no tag"
