"""Asks the services whether they are ready, all at once."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import psutil

from deploy.environment import SERVICES
from deploy.local.addresses import Addresses
from deploy.local.services import api_name, worker_names

_DETAIL_LENGTH_MAX = 300


def addresses_by_process(addresses: Addresses) -> dict[str, str]:
    """Where each process of a service answers /readyz."""
    found = {}
    for service in SERVICES:
        found[api_name(service)] = addresses.api(service)
        for name in worker_names(service, addresses.choices.workers.get(service, 1)):
            found[name] = addresses.worker(name)
    return found


def readiness(urls: Mapping[str, str], timeout_s: float = 2.0) -> dict[str, str | None]:
    """For each process None when it is ready, else why it is not."""
    with ThreadPoolExecutor(max_workers=max(1, len(urls))) as pool:
        answers = pool.map(lambda url: _problem(url, timeout_s), urls.values())
        return dict(zip(urls, answers, strict=True))


def own_readiness(urls: Mapping[str, str], pids: Mapping[str, int | None]) -> dict[str, str | None]:
    """The same, but an answer counts only when the process itself listens there: where another stack took the port
    first, that one answers, and may be ready indeed."""
    return {name: problem or _stranger(urls[name], pids.get(name)) for name, problem in readiness(urls).items()}


def _stranger(url: str, pid: int | None) -> str | None:
    port = urlsplit(url).port
    try:
        sockets = psutil.Process(pid).net_connections("tcp") if pid else []
    except psutil.NoSuchProcess:
        sockets = []
    listens = any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets)
    return None if listens else f"another process answers at port {port}"


def _problem(url: str, timeout_s: float) -> str | None:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return None if answer.status == 200 else f"{answer.status} {_detail(body)}"


def _detail(body: bytes) -> str:
    """What is not ready and why, where the answer says so; else the problem's own words."""
    try:
        document = json.loads(body)
        reasons = document.get("not_ready") or {}
        text = "; ".join(f"{name}: {why}" for name, why in reasons.items()) or str(document.get("detail") or document)
    except (ValueError, AttributeError):
        text = body.decode(errors="replace")
    return text[:_DETAIL_LENGTH_MAX]
