"""
Checks a WDL definition: `python -m omx_engine.wdl_check <main> [--lenient]` in the definition's folder.
The outline and the warnings go to stdout, the error to stderr; exit code 2 when there is one.
"""

import os
import sys

from WDL import CLI

from .wdl_source import read_inside


def main(arguments):
    document = arguments[0]
    # miniwdl's own command, but for where it may read.
    CLI.make_read_source = lambda *_: read_inside(os.getcwd())
    lenient = ["--no-quant-check"] if "--lenient" in arguments else []
    CLI.main(["check", "--path", ".", *lenient, document])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
