"""Typer commands of the twin; every decision is taken in the modules they call."""


def main() -> None:
    """Run the `twin` command."""
    raise SystemExit("not built yet")
