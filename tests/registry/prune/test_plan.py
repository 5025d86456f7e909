"""What a plan keeps and deletes, over random graphs, against rules applied one by one until nothing changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from imgref.archive.manifest import OCI_MANIFEST, Descriptor
from imgref.reference import parse
from imgref.registry.prune.graph import Graph, Node, attached_to
from imgref.registry.prune.plan import PrunePlan, attachments, plan_deletions
from imgref.registry.prune.rules import Selection

REPOSITORY = parse("localhost/app", default_tag=None)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


@dataclass
class Drawn:
    """A repository: manifests, tags, and which tags a rule selects."""

    nodes: list[Node]
    tags: dict[str, str]
    selected: frozenset[str]

    def plan(self) -> PrunePlan:
        selections = {tag: Selection(tag in self.selected, "rule") for tag in self.tags}
        return plan_deletions(REPOSITORY, self.tags, Graph(self.nodes), selections)


@st.composite
def repositories(draw: st.DrawFn) -> Drawn:
    count = draw(st.integers(1, 9))
    nodes = []
    for number in range(count):
        # Digests make cycles impossible: a document names earlier ones only.
        earlier = st.sampled_from([digest(other) for other in range(number)]) if number else st.nothing()
        children = draw(st.lists(earlier, max_size=3, unique=True)) if number else []
        subject = draw(st.none() | earlier) if number else None
        nodes.append(Node(Descriptor(OCI_MANIFEST, digest(number), 1), tuple(children), subject))
    tags = {}
    for name in draw(st.lists(st.sampled_from("abcdefgh"), max_size=8, unique=True)):
        tags[name] = digest(draw(st.integers(0, count - 1)))
    for number in draw(st.lists(st.integers(0, count + 1), max_size=4)):
        ending = draw(st.sampled_from(["", ".sig", ".att", ".sbom"]))
        tags[digest(number).replace(":", "-") + ending] = digest(draw(st.integers(0, count - 1)))
    # An untagged manifest is known only if something leads to it. Of those that only a referrer leads to, see below.
    starts = {*tags.values(), *filter(None, map(attached_to, tags))}
    reached = Graph(nodes).dependent(dict.fromkeys(starts, ""), attachments(tags))
    nodes = [each for each in nodes if each.descriptor.digest in reached]
    return Drawn(nodes, tags, frozenset(draw(st.sets(st.sampled_from(sorted(tags))) if tags else st.just(set()))))


def may_go(drawn: Drawn, each: Node, going: set[str]) -> bool:
    """Return whether a manifest may go together with some others, by each rule on its own."""
    digest = each.descriptor.digest
    nodes = {other.descriptor.digest: other for other in drawn.nodes}
    for tag in (tag for tag, target in drawn.tags.items() if target == digest):
        subject = attached_to(tag)
        if not (subject in going if subject in nodes else tag in drawn.selected):
            return False
    staying = [other for other in drawn.nodes if other.descriptor.digest not in going]
    needed = any(digest in other.children or digest == other.subject for other in staying)
    return not needed and (each.subject not in nodes or each.subject in going)


def expected(drawn: Drawn) -> set[str]:
    """Return what goes, found by brute force: start from all manifests, and remove what may not go until all may."""
    nodes: Mapping[str, Node] = {each.descriptor.digest: each for each in drawn.nodes}
    graph, known = Graph(drawn.nodes), attachments(drawn.tags)
    starts = [target for tag, target in drawn.tags.items() if tag in drawn.selected and attached_to(tag) not in nodes]
    going, before = set(nodes), set[str]()
    while going != before:
        before = going
        # Only what a selected tag leads to is known to be of no use.
        chosen = dict.fromkeys((target for target in starts if target in going), "")
        going = {each for each in going & graph.dependent(chosen, known).keys() if may_go(drawn, nodes[each], going)}
    return going


@given(repositories())
def test_plan_has_each_tag_once(drawn: Drawn) -> None:
    plan = drawn.plan()
    listed = [(tag, each.digest) for each in (*plan.keep, *plan.delete) for tag in each.tags]
    assert sorted(listed) == sorted(drawn.tags.items())
    assert not {each.digest for each in plan.keep} & {each.digest for each in plan.delete}


@given(repositories())
def test_plan_never_deletes_what_a_kept_manifest_needs(drawn: Drawn) -> None:
    plan = drawn.plan()
    gone = {each.digest for each in plan.delete}
    for tag, target in drawn.tags.items():
        if tag not in drawn.selected and attached_to(tag) is None:
            assert target not in gone
    for node in drawn.nodes:
        if node.descriptor.digest not in gone and node.descriptor.digest in {each.digest for each in plan.keep}:
            assert not gone & set(node.children)
            assert node.subject not in gone
        if node.subject is not None and node.subject in {each.digest for each in plan.keep}:
            assert node.descriptor.digest not in gone


@given(repositories())
def test_plan_deletes_what_brute_force_finds(drawn: Drawn) -> None:
    assert {each.digest for each in drawn.plan().delete} == expected(drawn)


@given(repositories())
def test_plan_deletes_parents_before_children(drawn: Drawn) -> None:
    order = [each.digest for each in drawn.plan().delete]
    nodes = {each.descriptor.digest: each for each in drawn.nodes}
    for place, each in enumerate(order):
        assert not set(nodes[each].children) & set(order[:place])


def planned(nodes: list[Node], tags: dict[str, str], selected: set[str]) -> tuple[list[str], list[str]]:
    plan = Drawn(nodes, tags, frozenset(selected)).plan()
    return [each.because for each in plan.keep], [each.because for each in plan.delete]


def leaf(number: int, *children: int, subject: int | None = None) -> Node:
    named = tuple(digest(child) for child in children)
    return Node(Descriptor(OCI_MANIFEST, digest(number), 1), named, None if subject is None else digest(subject))


def test_plan_names_the_tag_that_a_manifest_belongs_to() -> None:
    nodes = [leaf(0), leaf(1), leaf(2), leaf(10, 0, 1), leaf(11, 1, 2), leaf(12, subject=10), leaf(13, subject=11)]
    tags = {"1.0.0": digest(10), "2.0.0": digest(11), digest(10).replace(":", "-"): digest(12)}
    keep, delete = planned(nodes, tags, {"1.0.0"})
    assert keep == ["2.0.0: rule", "child of 2.0.0", "child of 2.0.0", "referrer of 2.0.0"]
    assert sorted(delete) == ["1.0.0: rule", "child of 1.0.0", "referrer of 1.0.0"]


def test_plan_keeps_a_manifest_with_one_kept_tag() -> None:
    keep, delete = planned([leaf(0)], {"1.0.0": digest(0), "latest": digest(0)}, {"1.0.0"})
    assert (keep, delete) == (["latest: rule"], [])


def test_plan_keeps_what_is_attached_to_a_manifest_outside_of_the_repository() -> None:
    tag = digest(7).replace(":", "-") + ".sig"
    assert planned([leaf(0)], {tag: digest(0)}, set()) == ([f"{tag}: {digest(7)} is not in the repository"], [])
    assert planned([leaf(0)], {tag: digest(0)}, {tag}) == ([], [f"{tag}: rule"])


def test_plan_keeps_what_is_attached_to_an_untagged_manifest() -> None:
    tag = digest(1).replace(":", "-") + ".sig"
    nodes = [leaf(0), leaf(1, 2), leaf(2), leaf(3, 2)]
    keep, delete = planned(nodes, {tag: digest(0), "old": digest(3)}, {tag, "old"})
    assert keep == [f"tag attached to {digest(1)}", f"{tag} is attached to it", f"child of {digest(1)}"]
    assert delete == ["old: rule"]


def test_plan_deletes_a_selected_referrer_of_an_untagged_manifest_and_leaves_that() -> None:
    assert planned([leaf(0), leaf(1, subject=0)], {"report": digest(1)}, {"report"}) == ([], ["report: rule"])
    keep, delete = planned([leaf(0), leaf(1, subject=0)], {"report": digest(1)}, set())
    assert (keep, delete) == (["report: rule", "subject of report"], [])
