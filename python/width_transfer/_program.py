"""The program inside this package, and how it is run."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import threading
from typing import IO, Mapping, Sequence

__all__ = ["WidthTransferError", "call", "environment", "executable"]


class WidthTransferError(RuntimeError):
    """What the program had to say when it could not do what was asked.

    Attributes:
        exit_code: 64 wrong usage, 65 bad data, 66 a named input does not exist, 69 a needed thing is missing, 70 a bug, 73 the output
            cannot be created, 74 reading or writing failed; None where this package itself refused.
    """

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def executable() -> pathlib.Path:
    """The program: that of this package, or the one that the variable WIDTH_TRANSFER names."""
    named = os.environ.get("WIDTH_TRANSFER")
    path = pathlib.Path(named) if named else pathlib.Path(__file__).parent / "bin" / "width-transfer"
    if not path.is_file():
        raise WidthTransferError(
            f"{path} is not there: this is not an installed wheel; name a built program by the variable WIDTH_TRANSFER", 69)
    return path


def environment() -> dict[str, str]:
    """The variables that the program runs with: it computes with the LibTorch of this Python's torch unless LIBTORCH names another."""
    variables = dict(os.environ)
    if not any(variables.get(name) for name in ("LIBTORCH", "LIBTORCH_LIB", "LIBTORCH_USE_PYTORCH")):
        # Not imported: its files are enough, and importing it takes seconds.
        found = importlib.util.find_spec("torch")
        places = list(found.submodule_search_locations or []) if found else []
        if places:
            variables["LIBTORCH"] = places[0]
    return variables


def _end_with_parent() -> None:
    # A training does not go on behind the back of a notebook that is gone: SIGTERM ends it with a checkpoint. (PR_SET_PDEATHSIG is 1.)
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _forward(stream: IO[bytes], kept: list[str], shows: bool) -> None:
    for line in stream:
        text = line.decode("utf-8", "replace")
        kept.append(text)
        del kept[:-200]
        if shows:
            try:
                sys.stderr.write(text)
                sys.stderr.flush()
            except (AttributeError, OSError, ValueError):
                # Nobody reads it any more. Who stopped reading, too, would stop the program at a full pipe.
                shows = False


# The commands that a launcher's processes carry out together.
_TOGETHER = {"run", "search", "train", "compare", "experiment"}


def _failure(lines: list[str]) -> str:
    """What a program that failed said last: of several jobs the reason of each; a mistake in the flags has their usage behind it."""
    begins = [place for place, line in enumerate(lines) if line.startswith(("width-transfer: ", "Error: "))]
    if not begins:
        return "\n".join(lines[-5:]).strip()
    told = [lines[begins[-1]].removeprefix("width-transfer: ").removeprefix("Error: ")]
    for line in lines[begins[-1] + 1:]:
        if not line.startswith("  ") or line.lstrip().startswith("See "):
            break
        told.append(line)
    return "\n".join(told)


def call(words: Sequence[str | os.PathLike[str]], *, quiet: bool = False, more: Mapping[str, str] | None = None) -> str:
    """Runs the program and returns what it printed.

    Progress goes to this Python's standard error, in a notebook below the cell. After Ctrl-C (or a notebook's stop button) the program
    writes a checkpoint before this returns; the same call goes on from it.

    Args:
        words: The arguments, as on the command line.
        quiet: Whether progress is left out.
        more: Further variables of the environment.

    Raises:
        WidthTransferError: What the program said, with its exit code.
        KeyboardInterrupt: After the checkpoint.
    """
    command = [str(executable()), *(os.fspath(word) for word in words)]
    variables = {**environment(), **(more or {})}
    if words and words[0] not in _TOGETHER:
        # In each process of a launcher's by itself.
        for name in ("WORLD_SIZE", "MASTER_ADDR"):
            variables.pop(name, None)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=variables, start_new_session=True, preexec_fn=_end_with_parent)
    interrupted = False
    try:
        assert process.stdout is not None and process.stderr is not None
        said: list[str] = []
        reader = threading.Thread(target=_forward, args=(process.stderr, said, not quiet), daemon=True)
        reader.start()
        parts: list[bytes] = []
        gatherer = threading.Thread(target=lambda stream: parts.append(stream.read()), args=(process.stdout,), daemon=True)
        gatherer.start()
        while True:
            try:
                process.wait()
                break
            except KeyboardInterrupt:
                # In a session of its own, it got no signal from the terminal: one from here, and a second one for who insists.
                interrupted = True
                process.send_signal(signal.SIGINT)
        reader.join()
        gatherer.join()
    except BaseException:
        # What else ends this call, such as an alarm, does not leave a program behind that nobody waits for.
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    if interrupted:
        raise KeyboardInterrupt("".join(said[-1:]).strip())
    if process.returncode:
        message = _failure("".join(said).splitlines())
        if process.returncode < 0:
            ended = f"the program was ended by {signal.Signals(-process.returncode).name}"
            message = f"{ended}; it said last: {message}" if message else ended
        raise WidthTransferError(message or f"exit code {process.returncode}", process.returncode)
    return b"".join(parts).decode()
