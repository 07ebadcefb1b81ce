"""What goes wrong outside of our code, said so that an operator can act on it."""


class OperatorError(Exception):
    """A command cannot go on. `what` names the thing and the reason, `next_step` what to do about it; the command line
    prints both, without a traceback, and exits with `exit_code`."""

    exit_code = 1

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(f"{what} {next_step}")
        self.what = what
        self.next_step = next_step
