"""The demo's way into the gateway: as a careful shop's server, which repeats what was not acknowledged.

On http.client: thousands of small calls from the machine that also runs the platform, and a call by httpx costs as much
CPU as the gateway needs to answer it.
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from deploy.gateway import RefusedError
from deploy.problems import OperatorError

_TIMEOUT_S: Final = 30.0
_PATIENCE_S: Final = 60.0
_EFFECT_S: Final = 120.0
_PAUSE_S: Final = 0.5
_TRY_AGAIN: Final = (429, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """A status and a body."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ShopClient:
    """One tenant's API, for several threads, each with a connection of its own. Every call is repeated for a minute
    while the platform is busy or away."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._address = urlsplit(base_url).netloc
        self._headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
        self._mine = threading.local()

    def get(self, path: str, **query: str) -> Any:
        """The answer. Raises OperatorError when there is none."""
        return self._call("GET", f"{path}?{urlencode(query)}").json

    def balance(self, customer: str, after_event: str | None = None) -> Any:
        """The customer's balance, if asked for after this event had its effect. Raises OperatorError when there is none
        within two minutes."""
        path = f"/v1/customers/{customer}/balance"
        path += f"?after_event={after_event}&wait_ms=10000" if after_event else ""
        deadline = time.monotonic() + _EFFECT_S
        while time.monotonic() < deadline:
            answer = self._call("GET", path, accept=(404,))
            if answer.status == 200 and answer.json.get("after_event") != "pending":
                return answer.json
            time.sleep(_PAUSE_S)
        raise OperatorError(
            f"The purchases of {customer} had no effect within {_EFFECT_S:.0f} s.",
            "`treue status` tells whether the points worker runs, `treue logs points-worker` what it does.",
        )

    def post_batch(self, path: str, name: str, items: Sequence[Any]) -> list[str]:
        """Post events; returns their ids. Raises OperatorError when one of them is refused."""
        answer = self._call("POST", path, json.dumps({name: items}).encode()).json
        refused = [result["error"] for result in answer["results"] if "error" in result]
        if refused:
            raise OperatorError(
                f"{path} refused {len(refused)} of {len(items)} events, the first: {refused[0]}",
                "The demo's data and the gateway's rules disagree; please report it.",
            )
        return [result["event_id"] for result in answer["results"]]

    def knows_its_key(self) -> bool:
        """Whether the gateway takes the key."""
        return self._call("GET", "/v1/programme", accept=(401,)).status != 401

    def _call(self, method: str, path: str, body: bytes | None = None, accept: Sequence[int] = ()) -> Answer:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                answer = self._once(method, path, body)
                if answer.status < 300 or answer.status in accept:
                    return answer
                if answer.status not in _TRY_AGAIN:
                    raise RefusedError(f"{method} {path}", answer.status, answer.body.decode())
                problem = f"{answer.status} {answer.body.decode()[:200]}"
            except (OSError, HTTPException) as broken:
                problem = f"{type(broken).__name__} {broken}"
            if time.monotonic() > deadline:
                raise OperatorError(
                    f"{method} {path} was not answered within {_PATIENCE_S:.0f} s: {problem}.",
                    "Is the platform up? `make up` starts it, `treue status` tells.",
                )
            time.sleep(_PAUSE_S)

    def _once(self, method: str, path: str, body: bytes | None) -> Answer:
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = HTTPConnection(self._address, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path, body, self._headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        except BaseException:
            self._mine.connection = None
            connection.close()
            raise
