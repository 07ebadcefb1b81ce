"""The operator's command line: the table of its commands. What each does lives in the module that stands beside it.

Only the module of the command that was asked for is imported: scripts call some of them twice a second. `--json` may
stand anywhere and makes stdout JSON and nothing else. A new command is one more line in the table.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import typer

from deploy.output import show_problem, use_json
from deploy.problems import OperatorError

COMMANDS: Final = {
    "up": "deploy.up:up",
    "down": "deploy.up:down",
    "status": "deploy.status:status",
    "doctor": "deploy.doctor.command:doctor",
    "restart": "deploy.restart:restart",
    "scale": "deploy.scale:scale",
    "logs": "deploy.logs:logs",
    "mails": "deploy.mails:mails",
    "tenants": "deploy.tenants:app",
    "keys": "deploy.keys:app",
    "migrate": "deploy.migrations:migrate",
    "topics": "deploy.topics:topics",
    "verify": "deploy.audit.report:verify",
    "rebuild": "deploy.rebuild.command:rebuild",
    "dead-letters": "deploy.dead_letters:app",
    "replay": "deploy.replay:replay",
    "env": "deploy.env_file:env",
    "demo": "deploy.demo.command:demo",
    "chaos": "deploy.chaos.command:chaos",
}


def command_line(asked: Sequence[str]) -> typer.Typer:
    """The command that `asked` begins with; all of them when it is none (for the help)."""
    app = typer.Typer(
        name="treue", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )
    app.callback(help="Run and operate Treue. Every command takes --json.")(lambda: None)
    for name in [asked[0]] if asked and asked[0] in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--json"]
    use_json("--json" in sys.argv[1:])
    try:
        command_line(arguments)(args=arguments)
    except OperatorError as problem:
        show_problem(problem.what, problem.next_step)
        sys.exit(problem.exit_code)


if __name__ == "__main__":
    main()
