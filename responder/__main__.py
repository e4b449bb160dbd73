"""`python -m responder` is the command `responder`."""

from responder.cli import main

main()
