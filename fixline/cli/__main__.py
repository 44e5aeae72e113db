"""`python -m fixline.cli`: how `fixline up` starts its own parts."""

from fixline.cli.app import main

main()
