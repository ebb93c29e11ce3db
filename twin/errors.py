"""The errors a user of the twin can meet, each with its exit code."""


class BadInput(Exception):
    """The scenario, a file it names or the run directory is not usable; the message says what to do."""

    exit_code = 2


class ProgramFailed(Exception):
    """A program of the chain ended with an error; the message carries its first error line."""

    exit_code = 3
