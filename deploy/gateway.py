"""The operator's way into the gateway: HTTP with the admin key."""

import json
from typing import Any

from deploy.local.stack import LocalStack
from deploy.problems import OperatorError

# `tenants create` returns only when every service knows the tenant.
_TIMEOUT_S = 60.0


class Gateway:
    """Calls of the administrator; whatever is not a success becomes a sentence."""

    def __init__(self, base_url: str, admin_key: str) -> None:
        self._base_url = base_url
        self._headers = {"authorization": f"Bearer {admin_key}"}

    @classmethod
    def of(cls, stack: LocalStack) -> "Gateway":
        return cls(stack.addresses.api("gateway"), stack.credentials.admin_key)

    def call(self, method: str, path: str, body: Any = None, **query: str | None) -> Any:
        import httpx

        asked = {name: value for name, value in query.items() if value is not None}
        try:
            answer = httpx.request(
                method, self._base_url + path, json=body, params=asked, headers=self._headers, timeout=_TIMEOUT_S
            )
        except httpx.HTTPError as error:
            raise OperatorError(
                f"The gateway at {self._base_url} does not answer: {error}.",
                "Start the platform with `make up`, or see `treue status`.",
            ) from error
        if answer.is_success:
            return answer.json() if answer.content else None
        raise RefusedError(f"{method} {path}", answer.status_code, answer.text)

    def everything(self, path: str, **query: str | None) -> list[Any]:
        """All items of a paged list."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.call("GET", path, cursor=cursor, **query)
            items += page["items"]
            cursor = page.get("next")
            if not cursor:
                return items


class RefusedError(OperatorError):
    """The gateway said no, and why (RFC 9457)."""

    def __init__(self, what: str, status: int, body: str) -> None:
        problem = _problem(body)
        self.status = status
        detail = problem.get("detail") or problem.get("title") or body[:300]
        super().__init__(f"{what} was refused with {status}: {detail}", _next_step(problem, status))


def _problem(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _next_step(problem: dict[str, Any], status: int) -> str:
    if faults := problem.get("errors"):
        return "Mend: " + "; ".join(f"{fault.get('pointer')}: {fault.get('detail')}" for fault in faults)
    if status >= 500:
        return "Repeating it is safe. If it stays so, see `treue status` and `treue logs gateway`."
    return "Change the request accordingly."
