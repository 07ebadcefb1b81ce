"""Whether a customer id was erased, as far as can be known at once. What is not known here is refused by the services,
when the event comes to them."""

from collections import OrderedDict

import msgspec

from services.gateway.forwarding.headers import own
from services.gateway.forwarding.upstream import Question, Upstreams
from shared.erasures import ERASED_CODE
from shared.errors import ConflictError, UnavailableError

_TIMEOUT_S = 0.5
_REMEMBERED_MAX = 10_000


class Lives:
    """Asks the service that decides on customers. Who rejoined through this process of late is not asked for: that the
    service has not seen it yet must not refuse what follows."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams
        self._rejoined: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def require_alive(self, tenant: str, customer_id: str, bearer: str, correlation_id: str) -> None:
        """Raises ConflictError for an id that was erased and has not rejoined."""
        if (tenant, customer_id) in self._rejoined:
            return
        path = f"/internal/customers/{customer_id}/life".encode()
        question = Question("GET", path, own(bearer, correlation_id), timeout_s=_TIMEOUT_S)
        try:
            reply = await self._upstreams["notifications"].ask(question)
        except UnavailableError:
            return
        if reply.status == 200 and msgspec.json.decode(reply.body).get("erased"):
            raise ConflictError(
                "This customer was erased, and takes no profile and no consent. If somebody begins anew under this id,"
                ' say so in the profile: "rejoin": true.',
                code=ERASED_CODE, customer_id=customer_id,
            )  # fmt: skip

    def rejoined(self, tenant: str, customer_id: str) -> None:
        """The id begins anew."""
        self._rejoined[tenant, customer_id] = None
        if len(self._rejoined) > _REMEMBERED_MAX:
            self._rejoined.popitem(last=False)

    def erased(self, tenant: str, customer_id: str) -> None:
        """The id was erased through this process."""
        self._rejoined.pop((tenant, customer_id), None)
