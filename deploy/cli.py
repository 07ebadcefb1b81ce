"""The operator's command line: the table of its commands. What each does lives in the module of its name.

`--json` may stand anywhere and makes stdout JSON and nothing else. A new command is one more line below.
"""

import sys

import typer

from deploy import doctor, env_file, keys, logs, mails, migrations, restart, scale, status, tenants, topics, up
from deploy.output import show_problem, use_json
from deploy.problems import OperatorError

app = typer.Typer(
    name="treue",
    help="Run and operate Treue. Every command takes --json.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(up.up)
app.command()(up.down)
app.command()(status.status)
app.command()(doctor.doctor)
app.command()(restart.restart)
app.command()(scale.scale)
app.command()(logs.logs)
app.command()(mails.mails)
app.command()(migrations.migrate)
app.command()(topics.topics)
app.command()(env_file.env)
app.add_typer(tenants.app, name="tenants")
app.add_typer(keys.app, name="keys")


def main() -> None:
    arguments = sys.argv[1:]
    use_json("--json" in arguments)
    try:
        app(args=[argument for argument in arguments if argument != "--json"])
    except OperatorError as problem:
        show_problem(problem.what, problem.next_step)
        sys.exit(1)


if __name__ == "__main__":
    main()
