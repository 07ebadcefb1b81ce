"""The ports of a stack: chosen once, remembered in its folder, chosen anew only when somebody else took one."""

import secrets
import socket
from collections.abc import Callable, Iterable, Mapping

from deploy.local.claims import Claims
from deploy.local.folder import StackFolder
from deploy.problems import OperatorError

# What `make up` likes to have. The tests take any free ones, so that they run beside it.
PREFERRED: Mapping[str, int] = {
    "gateway": 8080,
    "points": 8081,
    "notifications": 8082,
    "metrics": 8083,
    "gateway-worker": 8090,
    "points-worker": 8091,
    "notifications-worker": 8092,
    "metrics-worker": 8093,
    "postgres": 5432,
    "kafka": 9092,
    "kafka-controller": 9093,
    "mail": 1025,
}

# Below the range from which kernels take the ports of outgoing connections: otherwise a client's connection could sit
# on Kafka's port while Kafka restarts.
_LOWEST, _HIGHEST, _ATTEMPTS_MAX = 20_000, 32_000, 200


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(taken: Iterable[int], usable: Callable[[int], bool] = is_free) -> int:
    others = set(taken)
    for _ in range(_ATTEMPTS_MAX):
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if port not in others and usable(port):
            return port
    raise OperatorError(
        f"No free port was found between {_LOWEST} and {_HIGHEST}.", "Stop something that listens there and try again."
    )


class Ports:
    """Port by name. Names that are not known yet (a third worker) get a free port when they are first asked for."""

    def __init__(self, folder: StackFolder, preferred: Mapping[str, int]) -> None:
        self._folder = folder
        self._preferred = preferred
        self._claims = Claims(folder)
        self._chosen: dict[str, int] = folder.read("ports.json") or {}

    def __getitem__(self, name: str) -> int:
        if name not in self._chosen:
            wanted = self._preferred.get(name, 0)
            fits = wanted and wanted not in self._chosen.values() and self._usable(wanted)
            self._chosen[name] = wanted if fits else free_port(self._chosen.values(), self._usable)
            self._folder.write("ports.json", self._chosen)
        return self._chosen[name]

    def renew(self, names: Iterable[str]) -> str | None:
        """Before a start: replaces what somebody else has taken. Returns a sentence about it when there is one."""
        replaced = []
        for name in names:
            before = self._chosen.get(name) or self._preferred.get(name)
            if name in self._chosen and not self._usable(self._chosen[name]):
                del self._chosen[name]
            if before and self[name] != before:
                replaced.append(f"{name} {self[name]} (not {before})")
        return f"Some ports are taken by others. Instead: {', '.join(replaced)}." if replaced else None

    def _usable(self, port: int) -> bool:
        """Claimed first: what is free a moment later stays so."""
        return self._claims.claim(port) and is_free(port)
