"""`python -m jtorch run script.py` runs a program written for torch, `check script.py` says what it uses of torch."""

import argparse
import os
import sys

from jtorch.compat import check as checking
from jtorch.compat import script

_RED, _GREEN, _PLAIN = "\033[31m", "\033[32m", "\033[0m"


def _parser():
    parser = argparse.ArgumentParser("python -m jtorch", description="Programs written for torch, with no edit.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a program; `import torch` and `import torchvision` mean jtorch in it")
    run.add_argument("-m", dest="module", action="store_true", help="the program is a module, as in python -m")
    run.add_argument("program", help="a script, or with -m a module's name")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="handed to the program")
    look = commands.add_parser(
        "check", help="list the names of torch that scripts use and that jtorch lacks; runs nothing"
    )
    look.add_argument("paths", nargs="+", metavar="path", help="scripts, or folders of scripts")
    look.add_argument("--all", action="store_true", help="list the names that jtorch has as well")
    return parser


def main(argv=None):
    """Run the command line, and return the exit code: for check 1 where a name is lacking, 2 for unreadable files."""
    options = _parser().parse_args(argv)
    if options.command == "check":
        return _check(options.paths, options.all)
    (script.run_module if options.module else script.run_script)(options.program, options.arguments)
    return 0


def _check(paths, everything):
    try:
        report = checking.check(paths)
    except (OSError, SyntaxError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for use in report.uses:
        lack = report.lacks.get(use.symbol)
        if lack or everything:
            mark = ("lacks " if lack else "has   ", _RED if lack else _GREEN)
            word = f"{mark[1]}{mark[0]}{_PLAIN}" if colours else mark[0]
            sys.stdout.write(f"{use.path}:{use.line}: {word}{lack or use.symbol}\n")
    there = len(report.symbols) - len(report.lacks)
    sys.stdout.write(f"{there} of {len(report.symbols)} names of torch are in jtorch\n")
    return 1 if report.lacks else 0


if __name__ == "__main__":
    sys.exit(main())
