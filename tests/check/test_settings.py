from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from check_trees import write_tree

from imgref import ConfigError, ImgrefError, parse
from imgref.check.policy import Policy
from imgref.check.rules import codes_of, default_codes, waiting
from imgref.check.settings import Policies, load_policy, read_policy
from imgref.config import load_config

ON = {"IMG101", "IMG102", "IMG105", "IMG201", "IMG301", "IMG401", "IMG501", "IMG502", "IMG901", "IMG902", "IMG903"}


def policy_of(tmp_path: Path, text: str, **options: object) -> Policy:
    write_tree(tmp_path, {".imgref.toml": text})
    return read_policy(load_config(tmp_path / ".imgref.toml"), **options)  # type: ignore[arg-type]


def test_what_is_on_without_settings() -> None:
    assert Policy(default_codes()).enabled == ON
    assert read_policy(load_config(None)) == Policy(default_codes())


@pytest.mark.parametrize(
    ("settings", "select", "ignore", "enabled"),
    [
        ('select = ["IMG1", "IMG301"]', (), (), {"IMG101", "IMG102", "IMG103", "IMG104", "IMG105", "IMG301"}),
        ('select = "IMG101"', (), (), {"IMG101"}),
        ('extend-select = ["IMG104"]', (), (), ON | {"IMG104"}),
        ('ignore = ["IMG1"]', (), (), {code for code in ON if not code.startswith("IMG1")}),
        (
            'select = ["ALL"]\nignore = ["IMG9", "IMG2"]',
            (),
            ("IMG1",),
            {"IMG301", "IMG401", "IMG501", "IMG502", "IMG503"},
        ),
        ('select = ["IMG101"]\nignore = ["IMG102"]', ("IMG102", "IMG103"), (), {"IMG102", "IMG103"}),
        ('select = ["IMG1"]', (), ("IMG101", "IMG102", "IMG105"), {"IMG103", "IMG104"}),
        ("select = []", (), (), set()),
    ],
)
def test_enabled_rules_follow_the_settings(
    tmp_path: Path, settings: str, select: tuple[str, ...], ignore: tuple[str, ...], enabled: set[str]
) -> None:
    policy = policy_of(tmp_path, f"[check]\n{settings}\n", select=select, ignore=ignore)
    assert policy.enabled == enabled


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[check]\nalowed = ["official"]\n', 2, "unknown key 'alowed' in [check]; did you mean 'allowed'?"),
        ('[chek]\nallowed = ["official"]\n', 1, "unknown section 'chek'; did you mean 'check'?"),
        ("[check]\nallowed = 5\n", 2, "allowed in [check] must be a string or a list of strings, not 5"),
        ('[check]\nselect = ["IMG7"]\n', 2, "no rule's code begins with 'IMG7'; did you mean"),
        ('[check]\n\nignore = ["img101"]\n', 3, "did you mean 'IMG101'?"),
        ('[check]\ngolden = ["a.io/Golden/*"]\n', 2, "can match no image: a path has no uppercase letters"),
        ('[check]\ngolden-scope = "every"\n', 2, "golden-scope must be 'final' or 'all', not 'every'"),
        ('[check]\n[check.per-file-ignores]\n"a/**" = 7\n', 2, "per-file-ignores needs a list of codes for 'a/**'"),
        ('[check.per-file-ignores]\n"a/**" = ["IMG7"]\n', 1, "no rule's code begins with 'IMG7'"),
        ('[[check.exceptions]]\nreason = "x"\n', 1, "an exception needs an image"),
        (
            '[[check.exceptions]]\nimage = "a"\n\n[[check.exceptions]]\nimage = "b"\nrule = ["IMG101"]\n',
            4,
            "unknown key 'rule' in [check.exceptions]; did you mean 'rules'?",
        ),
        ('[[check.exceptions]]\nimage = "a"\nexpires = "soon"\n', 1, "expires in [check.exceptions] must be a date"),
        ('[[check.exceptions]]\nimage = "docker.io/a:1"\n', 1, "has no tag or digest"),
        ('[check]\nexceptions = "x"\n', 2, "exceptions in [check] must be a list of tables, not 'x'"),
    ],
)
def test_mistakes_are_reported_with_their_location(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        policy_of(tmp_path, text)
    assert (error.value.path, error.value.line) == (str(tmp_path / ".imgref.toml"), line)


def test_an_unknown_code_on_the_command_line() -> None:
    with pytest.raises(ImgrefError, match="no rule's code begins with 'IMG99'; did you mean 'IMG90"):
        codes_of(["IMG99"])
    with pytest.raises(ImgrefError, match="no rule's code begins with ''"):
        codes_of([""])


EXCEPTION = """
[[check.exceptions]]
image = "docker.io/library/busybox"
rules = ["IMG3", "IMG201"]
reason = "debug sidecar"
expires = 2027-06-30
"""


@pytest.mark.parametrize(
    ("code", "image", "day", "passes", "expired"),
    [
        ("IMG301", "busybox:1", date(2027, 6, 30), True, False),
        ("IMG201", "docker.io/busybox", date(2027, 6, 30), True, False),
        ("IMG301", "busybox:1", date(2027, 7, 1), False, True),
        ("IMG101", "busybox", date(2027, 6, 30), False, False),
        ("IMG301", "evil/busybox", date(2027, 6, 30), False, False),
    ],
)
def test_exceptions(tmp_path: Path, code: str, image: str, day: date, passes: bool, expired: bool) -> None:
    policy = policy_of(tmp_path, EXCEPTION, today=day)
    entry, late = policy.exemption(code, parse(image))
    assert (entry is not None, late is not None) == (passes, expired)
    assert policy.exceptions[0].where == f"{tmp_path}/.imgref.toml:2"


def test_an_exception_without_rules_or_end_is_for_all_and_for_good(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, '[[check.exceptions]]\nimage = "busybox"\n', today=date(2999, 1, 1))
    assert policy.exemption("IMG104", parse("busybox"))[0] is not None


def test_a_company_policy_below_that_of_a_repository(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        {
            "policy.toml": '[check]\nallowed = ["official"]\ngolden = ["g.io/*"]\n[check.per-file-ignores]\n'
            '"a" = ["IMG101"]\n' + EXCEPTION,
            "repo/.imgref.toml": 'extends = "../policy.toml"\n[check]\nallowed = ["ghcr.io/acme/**"]\n'
            '[check.per-file-ignores]\n"b" = ["IMG102"]\n[[check.exceptions]]\nimage = "redis"\n',
        },
    )
    policy = read_policy(load_config(tmp_path / "repo" / ".imgref.toml"))
    assert [pattern.text for pattern in policy.allowed or ()] == ["ghcr.io/acme/**"]
    assert [pattern.text for pattern in policy.golden or ()] == ["g.io/*"]
    assert policy.ignored_in("a") | policy.ignored_in("b") == {"IMG101", "IMG102"}
    assert [entry.where for entry in policy.exceptions] == [
        f"{tmp_path}/repo/../policy.toml:7",
        f"{tmp_path}/repo/.imgref.toml:6",
    ]
    assert policy.root == tmp_path / "repo"


def test_settings_that_extend_each_other_in_a_circle(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.toml": 'extends = "b.toml"\n', "b.toml": 'extends = "a.toml"\n'})
    with pytest.raises(ConfigError, match=r"extends goes in a circle: a\.toml -> b\.toml -> a\.toml"):
        load_config(tmp_path / "a.toml")


def test_rules_that_wait_for_a_setting(tmp_path: Path) -> None:
    assert set(waiting(ON, Policy(default_codes()))) == {"IMG201", "IMG301", "IMG903"}
    assert set(waiting(ON, policy_of(tmp_path, "[check]\ndenied = []\ngolden = []\nrequire-reason = false\n"))) == set()


def test_each_directory_has_the_nearest_policy(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        {
            ".imgref.toml": "",
            "a/pyproject.toml": "[tool.black]\n",
            "a/b/pyproject.toml": "[tool.imgref.check]\ngolden = []\n",
            "c/pyproject.toml": "this is no TOML",
            "d/.imgref.toml": "[check]\n",
        },
    )
    read: list[Path | None] = []

    def policy_of_file(file: Path | None) -> Policy:
        read.append(file)
        return Policy(default_codes())

    policies = Policies(policy_of_file)
    numbers = [policies.number(str(tmp_path / name)) for name in ("", "a", "a/b", "a/b/c", "c", "d/e", "d", "")]
    assert numbers == [0, 0, 1, 1, 0, 2, 2, 0]
    assert [file and file.resolve() for file in read] == [
        tmp_path / ".imgref.toml",
        tmp_path / "a/b/pyproject.toml",
        tmp_path / "d/.imgref.toml",
    ]


def test_hint_is_only_a_word_that_is_near(tmp_path: Path) -> None:
    for key, meant in (("foo", ""), ("goldenscope", "; did you mean 'golden-scope'?"), ("x", "")):
        (tmp_path / ".imgref.toml").write_text(f"[check]\n{key} = 1\n", encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_policy(tmp_path)
        assert str(caught.value).endswith(f"unknown key {key!r} in [check]{meant}")
