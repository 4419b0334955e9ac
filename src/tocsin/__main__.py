"""The door of the command line. It imports nothing before it knows what is asked: `tocsin --version` must be instant."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        from tocsin import __version__

        print(__version__)
        return
    from tocsin.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
