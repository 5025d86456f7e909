"""Lists that come in pages: the tags of a repository, and what refers to a manifest."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote as percent
from urllib.parse import urlsplit

from imgref._grammar import TAG, is_a
from imgref.archive.manifest import OCI_INDEX, Descriptor
from imgref.errors import NotFound, RegistryError, UnreliableTagList, quote
from imgref.reference import ImageReference
from imgref.registry.answers import manifest_in
from imgref.registry.links import next_target
from imgref.registry.session import RegistryRequest, Session, place_of
from imgref.registry.transport import Event, Response, origin_of

__all__ = ["PagedLists"]

_PAGE: Final = 1000
_MOST_PAGES: Final = 1000


class PagedLists:
    """Requests for lists, which :class:`~imgref.registry.client.RegistryClient` sends."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def tags(self, repository: ImageReference) -> list[str]:
        """Return every tag of a repository, in the registry's order, each once."""
        about = repository.repository
        endpoint = self._session.endpoint(repository.registry, about)
        url = start = f"{endpoint.origin}/v2/{repository.path}/tags/list?n={_PAGE}"
        tags: dict[str, None] = {}
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) > _MOST_PAGES:
                raise UnreliableTagList(f"{about}: the registry's pages of tags never end", url=url.partition("?")[0])
            seen.add(url)
            answer = self._session.send(RegistryRequest("GET", repository, url, about=about))
            page = self._page_of_tags(answer, repository)
            url = _next_page(self._session, answer, repository, UnreliableTagList)
            if not url and len(page) == _PAGE and not tags.keys() >= set(page):
                # A full page without a link: some registries cut off the list silently.
                url = f"{start}&last={percent(page[-1], safe='')}"
            tags.update(dict.fromkeys(page))
        return [tag for tag in tags if self._is_tag(tag, about)]

    def _page_of_tags(self, answer: Response, repository: ImageReference) -> list[str]:
        about = repository.repository
        try:
            if answer.status == 404:
                self._session.refuse_foreign_404(answer, about)
                raise NotFound(f"{about}: no such repository", **place_of(answer))
            self._session.expect(answer, repository, 200, about=about)
            data = self._session.json(answer, about)
        except NotFound:
            raise
        except RegistryError as error:
            if type(error) is not RegistryError or error.status not in (200, 404):
                raise
            raise UnreliableTagList(error.reason, **place_of(answer)) from error
        found = data.get("tags", ...)
        # Registries list a repository without tags as null.
        found = [] if found is None else found
        if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
            host = urlsplit(answer.url).netloc
            reason = f"{about}: {host} answered with JSON that is not a list of tags; is {host} a registry?"
            raise UnreliableTagList(reason, **place_of(answer))
        return found

    def _is_tag(self, tag: str, about: str) -> bool:
        if is_a(TAG, tag):
            return True
        message = f"{about}: ignored {quote(tag)} in the registry's list of tags, which is not a valid tag"
        self._session.tell(Event("warning", message))
        return False

    def referrers(self, ref: ImageReference) -> tuple[Descriptor, ...] | None:
        """Return what refers to a manifest; None if the registry does not list referrers."""
        endpoint = self._session.endpoint(ref.registry, str(ref))
        url = f"{endpoint.origin}/v2/{ref.path}/referrers/{ref.digest}"
        found: dict[str, Descriptor] = {}
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) > _MOST_PAGES:
                raise RegistryError(f"{ref}: the registry's list of referrers does not end", url=url.partition("?")[0])
            seen.add(url)
            answer = self._session.send(RegistryRequest("GET", ref, url, headers={"Accept": OCI_INDEX}))
            if answer.status in (400, 404, 405) and len(seen) == 1:
                return None
            self._session.expect(answer, ref, 200)
            page = manifest_in(answer, ref, None)
            found |= {child.digest: child for child in page.children}
            url = _next_page(self._session, answer, ref)
        return tuple(found.values())


def _next_page(
    session: Session, answer: Response, repository: ImageReference, problem: type[RegistryError] = RegistryError
) -> str:
    """Return the address of the page after an answer, empty after the last one; one on another host is refused."""
    try:
        target = next_target(answer.all("Link"))
    except ValueError as error:
        reason = f"{repository.repository}: the registry's Link header has {error}, so the list may go on"
        raise problem(reason, **place_of(answer)) from error
    if target is None:
        return ""
    url = session.located(answer.url, target)
    if origin_of(url) != origin_of(answer.url):
        reason = f"{repository.repository}: the registry's next page is on another host, {urlsplit(url).netloc}"
        raise problem(f"{reason}; imgref does not follow it", **place_of(answer))
    return url
