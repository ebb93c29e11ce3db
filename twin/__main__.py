"""Run the `twin` command as `python -m twin`."""

from twin.cli import main

main()
