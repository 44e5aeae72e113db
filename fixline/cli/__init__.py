"""The `fixline` command: what operators, analysts and `make up` type.

Owns arguments, exit codes (0 good, 1 found something, 2 wrong use) and what is printed. Each command's module
imports its heavy parts when the command runs, so that `fixline --help` stays quick.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # shapely brings numpy, whose threads nobody uses: 50 ms a start
# To look for pydantic's plug-ins reads the metadata of every package. Whoever has one sets the variable to nothing.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from fixline.cli.app import main

__all__ = ["main"]
