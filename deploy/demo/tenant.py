"""The demo's tenant: made in the first run; its key is kept in the stack's folder."""

from typing import Final

from deploy.demo.cdnow import CURRENCY, TIME_ZONE
from deploy.demo.client import ShopClient
from deploy.gateway import Gateway, RefusedError
from deploy.local.stack import LocalStack
from shared.auth.scopes import FIRST_KEY_SCOPES

TENANT: Final = "cdnow"
_KEPT: Final = "demo.json"
_PROGRAMME: Final = {
    "name": TENANT,
    "display_name": "CDNOW",
    "currency": CURRENCY,
    "time_zone": TIME_ZONE,
    "locale": "en-US",
    "points_per_unit": "1",
}


def ensure_key(stack: LocalStack) -> str:
    """The API key of the tenant, which exists afterwards and is known to every service."""
    kept = stack.folder.read(_KEPT)
    if kept is not None:
        client = ShopClient(stack.addresses.api("gateway"), kept["api_key"])
        if client.knows_its_key():
            return str(kept["api_key"])
    api_key = _make(Gateway.of(stack))
    stack.folder.write(_KEPT, {"tenant": TENANT, "api_key": api_key})
    return api_key


def _make(gateway: Gateway) -> str:
    try:
        made = gateway.call("POST", "/v1/tenants", _PROGRAMME)
        # Eighteen months of a shop come in seconds.
        gateway.call("PUT", f"/v1/tenants/{made['tenant']}/limit", {"events_per_s": 20_000})
    except RefusedError as refused:
        if refused.status != 409:
            raise
        # It is there, but its key was lost with the folder, or belongs to another database.
        body = {"tenant": TENANT, "scopes": sorted(FIRST_KEY_SCOPES)}
        made = gateway.call("POST", "/v1/keys", body)
    return str(made["api_key"])
