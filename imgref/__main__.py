"""``python -m imgref`` is the command, and so is the ``imgref`` script: both begin and end here.

Importing what a command needs takes a moment. An interrupt in that time would end in a traceback, from whichever import
it happens to hit; some even turn it into another exception. So it ends the process at once instead.

Almost everything that an import makes lasts until the end. Searching it for garbage, several times during the imports
and once more at the end, would take a fifth of the time of a short command.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # signal itself imports enum, which takes longer than all of this
import gc
import os

TYPE_CHECKING = False  # typing's own takes longer still

if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

__all__ = ["main"]

_INTERRUPTED = 130

_COLLECT_AFTER = 50_000
"""How many more objects than before there are when garbage is collected; by default 700."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: the words after ``imgref``; by default those of this process.
    """
    gc.set_threshold(_COLLECT_AFTER)
    # A process that was started in the background may have inherited that interrupts are ignored.
    handled = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
    try:
        if handled:
            _signal.signal(_signal.SIGINT, _interrupt)
        from imgref.cli._start import prepare

        prepare()
        from imgref.cli.main import main as run

        run(arguments)
    except KeyboardInterrupt:
        _end()
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            # After an interrupt inside exec(), the interpreter would end itself by the signal, whatever the code is.
            os._exit(_INTERRUPTED)
        if arguments is None:
            from imgref.cli._start import leave

            leave(end.code)
        raise
    finally:
        # What is left to do is the interpreter's, and it need not search what is there for garbage.
        gc.freeze()
        if handled:
            _signal.signal(_signal.SIGINT, _end)


def _interrupt(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            _end()
        frame = frame.f_back
    raise KeyboardInterrupt


def _end(*_: object) -> NoReturn:
    try:
        os.write(2, b"error: interrupted\n")
    finally:
        os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
