"""The supervisor's configuration as text."""

import shlex
from collections.abc import Iterable, Mapping

from deploy.local.folder import PROJECT, StackFolder
from deploy.local.program import Program
from deploy.local.restarts import PAUSE_MAX_S, restarting_interface

# In the environment of every supervised process: the stack that it belongs to.
MARK = "TREUE_SUPERVISED_IN"

# The process that ends the stack with its owner; it is no part of the platform and not shown.
OWNER_WATCH = "owner-watch"


def rendered(folder: StackFolder, programs: Iterable[Program], owner: int | None = None) -> str:
    """`owner` is a process id: when that process ends, the stack ends too (a test run that was killed)."""
    sections = [_supervisord(folder)]
    if owner is not None:
        sections.append(_owner_watch(owner))
    sections += [_program(folder, program) for program in programs]
    return "\n".join(sections)


def _supervisord(folder: StackFolder) -> str:
    return f"""\
[supervisord]
logfile={_text(folder.log("supervisord"))}
logfile_maxbytes=5MB
logfile_backups=1
pidfile={_text(folder.path / "supervisord.pid")}
childlogdir={_text(folder.logs)}

[unix_http_server]
file={_text(folder.socket)}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory={restarting_interface.__module__}:{restarting_interface.__name__}
"""


def _program(folder: StackFolder, program: Program) -> str:
    """A start that fails is tried again after 1 s, then every 2 s, for ever: `restarts` keeps supervisord from counting
    any further."""
    return f"""\
[program:{program.name}]
command={_text(shlex.join(program.command))}
directory={_text(PROJECT)}
environment={_environment({MARK: str(folder.path), **program.environment})}
priority={program.priority}
autostart={str(program.autostart).lower()}
autorestart=true
startsecs=1
startretries={PAUSE_MAX_S}
stopsignal={program.stop_signal}
stopwaitsecs={program.stop_timeout_s}
killasgroup=true
redirect_stderr=true
stdout_logfile={_text(folder.log(program.name))}
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=1
"""


def _owner_watch(owner: int) -> str:
    script = f"while kill -0 {owner} 2>/dev/null; do sleep 1; done; kill -TERM $PPID"
    return f"""\
[program:{OWNER_WATCH}]
command=/bin/sh -c {shlex.quote(script)}
autorestart=true
stopasgroup=true
killasgroup=true
"""


def _environment(variables: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_value(value)}"' for name, value in variables.items())


def _value(value: str) -> str:
    """A PEM goes on one line, its line ends as backslash and n: the services read both."""
    if '"' in value or " ;" in value or " #" in value:
        raise ValueError("supervisord's configuration cannot hold a value with a quote or the start of a comment")
    return _text(value.replace("\n", "\\n"))


def _text(value: object) -> str:
    """supervisord expands %; a doubled one stands for itself."""
    return str(value).replace("%", "%%")
