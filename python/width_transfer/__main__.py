"""The command line: `width-transfer …` and `python -m width_transfer …`."""

from __future__ import annotations

import os
import sys

from ._program import WidthTransferError, environment, executable


def main() -> None:
    """Becomes the program, with the same arguments, streams and signals."""
    try:
        path = executable()
        variables = environment()
    except WidthTransferError as error:
        print(f"width-transfer: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    os.execve(path, ["width-transfer", *sys.argv[1:]], variables)


if __name__ == "__main__":
    main()
