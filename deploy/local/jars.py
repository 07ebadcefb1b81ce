"""Kafka's jars: exactly those of jars.lock, fetched once per user and checked against their sha256.

jgo knows where the public Maven repository is; TREUE_MAVEN_REPOSITORY names a mirror instead. Every jar is checked
before it gets its final name, so that what lies in the cache is whole.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from deploy.problems import OperatorError

LOCK = Path(__file__).with_name("jars.lock")
_PARALLEL = 8
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Jar:
    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(lock: Path = LOCK) -> list[Jar]:
    jars = []
    for line in lock.read_text().splitlines():
        coordinates, digest, size = line.split()
        group, artifact, version = coordinates.split(":")
        jars.append(Jar(group, artifact, version, digest.removeprefix("sha256:"), int(size)))
    return jars


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TREUE_CACHE") or Path(base) / "treue")


def kafka_jars(console: Console) -> Path:
    """The folder with all the jars, fetching what is missing. Several stacks may ask at the same time."""
    folder = cache_folder() / "kafka"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"The cache folder {folder} cannot be made: {error.strerror}.", "Set TREUE_CACHE to another folder."
        ) from error
    with _alone(folder):
        missing = [jar for jar in locked_jars() if not _is_whole(folder / jar.file_name, jar)]
        if missing:
            _fetch_all(missing, folder, console)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_whole(file: Path, jar: Jar) -> bool:
    return file.is_file() and file.stat().st_size == jar.size


def _fetch_all(jars: list[Jar], folder: Path, console: Console) -> None:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("Kafka's jars"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with (
        tempfile.TemporaryDirectory(dir=folder) as scratch,
        Progress(*columns, console=console) as progress,
        ThreadPoolExecutor(_PARALLEL) as pool,
    ):
        task = progress.add_task("jars", total=sum(jar.size for jar in jars))
        running = {pool.submit(_fetch, jar, Path(scratch), folder): jar for jar in jars}
        try:
            for done in as_completed(running):
                done.result()
                progress.advance(task, running[done].size)
        except OperatorError:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch(jar: Jar, scratch: Path, folder: Path) -> None:
    found = _download(jar, scratch)
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != jar.sha256:
        raise OperatorError(
            f"{jar.file_name} has the sha256 {digest}, but jars.lock says {jar.sha256}: it was not kept.",
            "If TREUE_MAVEN_REPOSITORY is set, look at that mirror; else try again on another network.",
        )
    found.replace(folder / jar.file_name)


def _download(jar: Jar, scratch: Path) -> Path:
    from jgo.maven import MavenContext

    mirror = os.environ.get("TREUE_MAVEN_REPOSITORY")
    repositories = {"mirror": mirror.rstrip("/")} if mirror else None
    context = MavenContext(repo_cache=scratch, remote_repos=repositories, timeout=_TIMEOUT_S)
    try:
        return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())
    except Exception as error:  # jgo raises whatever its HTTP client does, and bare RuntimeErrors
        raise OperatorError(
            f"Fetching {jar.file_name} failed: {error}.",
            "Check the network (HTTPS_PROXY), set TREUE_MAVEN_REPOSITORY to a Maven mirror, or KAFKA_BOOTSTRAP to a"
            " Kafka that runs elsewhere.",
        ) from error
