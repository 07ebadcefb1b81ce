"""A real Kafka broker (KRaft, one node) out of jars and a Java."""

import base64
import secrets
import subprocess
from pathlib import Path

from rich.console import Console

from deploy.local.folder import StackFolder
from deploy.local.jars import kafka_jars
from deploy.local.java import find_java
from deploy.local.ports import Ports
from deploy.local.program import SERVER_PRIORITY, Program
from deploy.problems import OperatorError

_HERE = Path(__file__).parent
_OPTIONS = (
    "-Xms128m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-XX:MaxMetaspaceSize=128m",
    "-Djava.awt.headless=true",
    f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}",
)


def prepare_kafka(folder: StackFolder, ports: Ports, console: Console) -> Program:
    """Writes the settings, formats the log folder on the first run, and says how to start the broker."""
    java = (str(find_java()), "-cp", f"{kafka_jars(console)}/*")
    settings = folder.path / "kafka.properties"
    folder.write_text(settings.name, (_HERE / "server.properties").read_text() + _own_settings(folder, ports))
    if not (_log_folder(folder) / "meta.properties").exists():
        _format(java, settings)
    options = (*_OPTIONS, f"-Dkafka.logs.dir={folder.logs}")
    return Program(
        name="kafka",
        command=(java[0], *options, *java[1:], "kafka.Kafka", str(settings)),
        priority=SERVER_PRIORITY,
        autostart=True,
    )


def _log_folder(folder: StackFolder) -> Path:
    return folder.data / "kafka"


def _own_settings(folder: StackFolder, ports: Ports) -> str:
    listeners = f"PLAINTEXT://127.0.0.1:{ports['kafka']},CONTROLLER://127.0.0.1:{ports['kafka-controller']}"
    return (
        "\n# This stack's own.\n"
        f"listeners={listeners}\n"
        f"advertised.listeners={listeners}\n"
        f"controller.quorum.bootstrap.servers=127.0.0.1:{ports['kafka-controller']}\n"
        f"log.dirs={_log_folder(folder)}\n"
    )


def _format(java: tuple[str, ...], settings: Path) -> None:
    # Kafka's ids are 16 bytes in URL-safe base64; a leading dash would look like an option.
    cluster = "T" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[1:22]
    tool = ("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", str(settings))
    done = subprocess.run(
        [java[0], *_OPTIONS, *java[1:], *tool, "--ignore-formatted"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OperatorError(
            f"Kafka's log folder could not be formatted: {(done.stderr or done.stdout).strip()[-400:]}.",
            "Remove the stack's folder to begin anew, or set KAFKA_BOOTSTRAP to a Kafka that runs elsewhere.",
        )
