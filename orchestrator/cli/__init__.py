"""The command line. At module level only the standard library and typer."""

from __future__ import annotations


def main() -> None:
    """The command `hagane`."""
    from orchestrator.cli.app import app

    app()
