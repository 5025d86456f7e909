"""A kind of file: what a row of the table of kinds has."""

from __future__ import annotations

from dataclasses import dataclass

from imgref.sources.syntax import Syntax

__all__ = ["Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Patterns of names are compared in any case: ``*`` is any run of characters except ``/``, ``**`` any directories,
    ``{a,b}`` one of several; ``.yaml`` at the end is also ``.yml``. A pattern with ``/`` includes the directories right
    above the file.

    Attributes:
        name: the name that ``--as`` and ``[check.files]`` use.
        label: the name in the documentation.
        references: what it refers to images with, for the documentation, in Markdown.
        syntax: its syntax. The reader of a YAML kind is a :class:`~imgref.sources.contract.DocumentReader`, that of any
            other a :class:`~imgref.sources.contract.Reader`.
        reader: the reader, as ``module:function`` below :mod:`imgref.sources`, imported when it is needed.
        names: patterns of names that are enough: such a file must be readable.
        lookalikes: patterns of names that are not of this kind, although they match ``names``.
        unsure: patterns of names with which the content decides, although they match ``names``.
        maybe: patterns of further names with which the content decides.
        beside: a file that must be beside or above the file for its name to count.
        test: recognizes the content: a :class:`~imgref.sources.contract.DocumentTest` for YAML, else a
            :class:`~imgref.sources.contract.Probe`; as ``module:function``, or empty if there is none.
        content: what the test looks for, for the documentation, in Markdown.
        hints: words of which a YAML file that is of this kind by content has at least one.
        needs: what a YAML document has if the reader finds anything in it: all words of at least one of these; a word
            that ends with a colon is the end of a key. Empty if that is not known, so that each one is composed.
        signs: what a YAML document has if it passes the test: at least one of these words. Empty if that is not known.
        decisive: whether a document that passes the test is this whatever the name of its file is.
        only: whether the test is skipped for a file that is of this kind by its name.
        ending_only: whether ``names`` are endings that files of other programs have too, so that a binary file is none
            of this kind.
        configures: whether the files configure registries as insecure for everything around them.
        takes_tag_and_digest: whether the consumer certainly accepts ``name:tag@digest``.
        examples: names of files of this kind, for tests.
    """

    name: str
    label: str
    references: str
    syntax: Syntax
    reader: str
    names: tuple[str, ...] = ()
    lookalikes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    beside: str = ""
    test: str = ""
    content: str = ""
    hints: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    decisive: bool = False
    only: bool = False
    ending_only: bool = False
    configures: bool = False
    takes_tag_and_digest: bool = True
    examples: tuple[str, ...] = ()
