"""`python -m orchestrator.cli` is `hagane`."""

from orchestrator.cli import main

main()
