"""Every page of the documentation passes the checker, which notices a break in each page and kind of block."""

from __future__ import annotations

import re

import pytest
from docs.checker import EXEMPT, blocks, problems
from docs.commands import ROOT
from kind_pages import TABLE
from tables import each

AT_THE_TOP = ("README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md")
PAGES = {
    str(path.relative_to(ROOT)): TABLE.sub(lambda table: "\n" * table[0].count("\n"), path.read_text(encoding="utf-8"))
    for path in (*(ROOT / name for name in AT_THE_TOP), *sorted((ROOT / "docs").glob("*.md")))
}
"""The pages without the table of kinds, which names what belongs to other programs and follows from the code."""

BREAKS = [
    ("docs/roadmap.md", "", "`imgref check`", "`imgref chek`"),
    ("CODE_OF_CONDUCT.md", "", "(SECURITY.md)", "(SEKURITY.md)"),
    ("docs/settings.md", "", "imgref schema settings", "imgref shcema settings"),
    ("docs/api.md", "", "(library.md)", "(libary.md)"),
    ("SECURITY.md", "", "--force-exact", "--forse-exact"),
    ("docs/architecture.md", "", "imgref push app.tar", "imgref psuh app.tar"),
    ("docs/architecture.md", "mermaid", "archive --> platforms", "archive --> platform"),
    ("CONTRIBUTING.md", "sh", ".[all,dev]", ".[all,dve]"),
    ("README.md", "sh", "--image ", "--imagez "),
    ("README.md", "sh", "parse diamol", "prase diamol"),
    ("README.md", "console", "--existing -", "--exsiting -"),
    ("README.md", "python", "derive_tags(", "derive_tagz("),
    ("README.md", "", "`imgref explain", "`imgref explian"),
    ("docs/check.md", "sh", "--stdin-filename", "--stdin-filenam"),
    ("docs/check.md", "toml", "golden-scope", "golden-scpoe"),
    ("docs/baseline.md", "console", "--write-baseline", "--write-baselin"),
    ("docs/baseline.md", "toml", "baseline = ", "baselin = "),
    ("docs/environment.md", "", "IMGREF_PASSWORD", "IMGREF_PASWORD"),
    ("docs/exit-codes.md", "console", "--exit-zero", "--exit-zro"),
    ("docs/files.md", "sh", "--as dockerfile", "--as dockerfil"),
    ("docs/first-image.md", "console", "imgref release", "imgref relase"),
    ("docs/json.md", "sh", "schema settings", "shcema settings"),
    ("docs/mirror.md", "sh", "--from-file", "--from-fil"),
    ("docs/pinned.md", "console", "imgref pin", "imgref pni"),
    ("docs/pinned.md", "toml", "extend-select", "extend-selekt"),
    ("docs/policy.md", "console", "--enforce", "--enfroce"),
    ("docs/policy.md", "toml", "require-reason", "require-raeson"),
    ("docs/pre-commit.md", "yaml", "id: imgref-check", "id: imgref-chek"),
    ("docs/pre-commit.md", "yaml", "hooks:", "hoooks:"),
    ("docs/trust.md", "", "--force-exact", "--forse-exact"),
    ("docs/check.md", "dockerfile", "ignore[IMG102]", "ignore[IMG192]"),
    ("docs/check.md", "", "`concise`", "`concize`"),
    ("docs/check.md", "", "imgref[check]", "imgref[chekc]"),
    ("docs/metadata-action.md", "yaml", "--format github", "--format githb"),
    ("docs/metadata-action.md", "", "--no-default-tags", "--no-defualt-tags"),
    ("docs/ci.md", "yaml", "--format github", "--format githb"),
    ("docs/ci.md", "yaml", "--default-branch", "--default-brnach"),
    ("docs/ci.md", "yaml", "fetch-depth:", "fetch-detph:"),
    ("docs/ci.md", "groovy", "--existing git", "--exsiting git"),
    ("docs/ci.md", "sh", "--format bake", "--format bakee"),
    ("docs/ci.md", "console", "imgref tags", "imgref tagz"),
    ("docs/commands.md", "text", "--no-default-tag", "--no-defualt-tag"),
    ("docs/golden-images.md", "dockerfile", "RUN ", "RUNN "),
    ("docs/golden-images.md", "toml", "[[check.exceptions]]", "[[check.exeptions]]"),
    ("docs/golden-images.md", "console", "--format full", "--format ful"),
    ("docs/images.md", "text", "imgref release", "imgref relase"),
    ("docs/images.md", "text", "apply_release(client", "apply_relese(client"),
    ("docs/images.md", "", "--if-absent", "--if-absnt"),
    ("docs/inventory.md", "dockerfile", "FROM acme/base:1", "FROM acme/Base:1"),
    ("docs/inventory.md", "yaml", "image:", "imgae:"),
    ("docs/inventory.md", "", "--of debian", "--off debian"),
    ("docs/inventory.md", "python", "take_inventory(", "take_inventori("),
    ("docs/inventory.md", "", "`take_inventory`", "`take_inventori`"),
    ("docs/inventory.md", "sh", "--format lines", "--format line"),
    ("docs/library.md", "python", "with_path(", "with_paht("),
    ("docs/library.md", "python", "repository.tag(", "repository.tga("),
    ("docs/library.md", "py", "from_environment", "from_enviroment"),
    ("docs/library.md", "py", "[repository.reference]", "repository.reference, 1, 2"),
    ("docs/library.md", "", "`ImageReference` and", "`ImageReferenze` and"),
    ("docs/prune.md", "text", "--keep semver", "--kepe semver"),
    ("docs/prune.md", "", "--older-than", "--older-then"),
    ("docs/references.md", "console", "--to-registry", "--to-registri"),
    ("docs/references.md", "python", "with_digest", "with_digets"),
    ("docs/references.md", "", "`imgref.ImageReference`", "`imgref.ImageReferenze`"),
    ("docs/registries.md", "sh", "--password-stdin", "--pasword-stdin"),
    ("docs/registries.md", "py", "list_tags", "list_tagz"),
    ("docs/registries.md", "py", "imgref.registry import", "imgref.registries import"),
    ("docs/registries.md", "", "IMGREF_INSECURE_REGISTRIES", "IMGREF_INSECURE_REGISTERIES"),
    ("docs/registries.md", "", "`RegistryClient`", "`RegistryCleint`"),
    ("docs/rules.md", "toml", "extend-select", "extend-selekt"),
    ("docs/rules.md", "json", '"insecure-registries": [', '"insecure-registries": [['),
    ("docs/rules.md", "", "IMG203", "IMG293"),
    ("docs/tags.md", "toml", 'scheme = "semver"', 'scheme = "semvr"'),
    ("docs/tags.md", "", "`pep440`", "`pep404`"),
    ("docs/tags.md", "python", "TagPolicy(suffix", "TagPolicy(sufix"),
    ("docs/update.md", "sh", "imgref update", "imgref updaet"),
    ("docs/update.md", "toml", "min-age", "min-aeg"),
    ("docs/update.md", "toml", "[[update.images]]", "[[update.imagez]]"),
    ("docs/update.md", "", "--helm-tag", "--helm-tga"),
    ("docs/tutorial.md", "console", "imgref push", "imgref psuh"),
    ("docs/tutorial.md", "console", "--image registry", "--imagez registry"),
    ("docs/tutorial.md", "text", '{"insecure-registries": [', '{"insecure-registries": ('),
]
"""One word that is wrong: the page, the kind of its block or none for a sentence, what is replaced, and by what."""


@each("name", PAGES)
def test_problems_of_a_page_are_none(name: str) -> None:
    assert problems(name, PAGES[name]) == []


@each(("name", "kind", "right", "wrong"), BREAKS)
def test_problems_of_a_broken_page_name_the_break(name: str, kind: str, right: str, wrong: str) -> None:
    page = PAGES[name]
    parts = [(block.language, block.text) for block in blocks(page)] if kind else [("", page)]
    place = next((text for language, text in parts if language == kind and right in text), None)
    assert place is not None, f"{name} has no block of the kind {kind!r} with {right!r} any more"
    broken = page.replace(place, place.replace(right, wrong, 1), 1)
    assert broken != page
    found = problems(name, broken)
    assert found
    assert all(re.match(rf"{re.escape(name)}:\d+: ", each) for each in found)


def test_breaks_are_in_every_page() -> None:
    assert {name for name, *_ in BREAKS} == set(PAGES)


@each("name", PAGES)
def test_problems_of_a_page_name_every_misspelled_option(name: str) -> None:
    page = PAGES[name]
    for option in sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page))):
        assert problems(name, re.sub(rf"{option}(?![\w-])", f"{option}z", page, count=1)), option


@each("name", PAGES)
def test_problems_of_a_page_name_every_misspelled_command(name: str) -> None:
    page = PAGES[name]
    for command in sorted(
        set(re.findall(r"(?<=imgref )[a-z]+(?=[ `])", "\n".join(re.findall("`imgref [^`]*`", page))))
    ):
        broken = re.sub(rf"`imgref {command}(?=[ `])", f"`imgref {command}z", page, count=1)
        assert problems(name, broken), command


def test_exemptions_are_still_needed() -> None:
    for (name, which), reason in EXEMPT.items():
        assert reason
        assert any(which in (block.language, block.text.split("\n")[0]) for block in blocks(PAGES[name])), (name, which)


@pytest.mark.parametrize(
    "block",
    ["```sh\nif\n```\n", "```xml\n<a/>\n```\n", "```yaml\nrun: imgref tags --z\n```\n", "```text\nhello\n```\n"],
)
def test_problems_of_a_bad_block_are_reported(block: str) -> None:
    assert problems("docs/new.md", block)
