"""Writes the files of a plan: whole or not at all, and only if they have not changed since."""

from __future__ import annotations

import os

from imgref._utils.files import replace_file
from imgref.update.plan import FilePlan
from imgref.update.source import Unread, read_bytes

__all__ = ["apply_file"]


def apply_file(plan: FilePlan) -> str | None:
    """Write a file as planned, and return why it could not be written, or None.

    Mode and owner stay, and a link still points to the file. Other hard links keep the old content.
    """
    path = plan.source.real

    def confirm() -> None:
        if os.path.realpath(path) != path or read_bytes(path) != plan.source.data:
            raise Unread("was changed in the meantime, and is left alone")

    try:
        if not os.access(path, os.W_OK):
            return "is read-only"
        replace_file(path, plan.result, exactly=True, confirm=confirm)
    except Unread as error:
        return str(error)
    except FileNotFoundError:
        return "was deleted in the meantime"
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    return None
