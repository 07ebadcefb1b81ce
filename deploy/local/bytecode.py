"""Our own code as bytecode, so that no process compiles it at its start.

Where PYTHONDONTWRITEBYTECODE is set, as in containers and CI, Python reads bytecode and never writes it: every process
would compile all that it imports, for 2 s of CPU each. What is there and up to date costs a look at each file.
"""

import compileall

from deploy.local.folder import PROJECT


def compile_code() -> None:
    """Compile what has changed. A file that cannot be compiled is left to whoever imports it, who says why."""
    for package in ("shared", "services", "deploy"):
        compileall.compile_dir(PROJECT / package, quiet=2)
