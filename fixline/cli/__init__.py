"""The `fixline` command: what operators, analysts and `make up` type.

Exit codes: 0 good, 1 found something, 2 wrong use. A command's module is imported when that command is named, so that
`fixline --help` stays quick.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # shapely brings numpy, whose threads nobody uses: 50 ms a start
# To look for pydantic's plug-ins reads the metadata of every package. Whoever has one sets the variable to nothing.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from fixline.cli.app import main

__all__ = ["main"]
