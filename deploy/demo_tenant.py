"""The tenant that every local stack has, made once; its key is kept in stack.json."""

from deploy.description import Description
from deploy.gateway import Gateway, RefusedError
from deploy.local.stack import LocalStack

NAME = "demo"
_PROGRAMME = {"name": NAME, "currency": "EUR", "time_zone": "Europe/Berlin", "points_per_unit": "1"}


def ensure_demo_tenant(stack: LocalStack) -> Description:
    addresses = stack.addresses
    known = Description.of(stack.folder)
    if known is not None and _is_valid(addresses.api("gateway"), known.api_key):
        tenant, api_key = known.tenant, known.api_key
    else:
        tenant, api_key = _make(Gateway.of(stack))
    return Description(
        base_url=addresses.api("gateway"),
        tenant=tenant,
        api_key=api_key,
        database_url=addresses.database,
        kafka_bootstrap=addresses.kafka,
    )


def _is_valid(base_url: str, api_key: str) -> bool:
    """A key of another database (DATABASE_URL was changed) is unknown here."""
    import httpx

    answer = httpx.get(f"{base_url}/v1/programme", headers={"authorization": f"Bearer {api_key}"}, timeout=30)
    return answer.status_code != 401


def _make(gateway: Gateway) -> tuple[str, str]:
    try:
        made = gateway.call("POST", "/v1/tenants", _PROGRAMME)
    except RefusedError as refused:
        if refused.status != 409:
            raise
        return _new_key(gateway)
    return made["tenant"], made["api_key"]


def _new_key(gateway: Gateway) -> tuple[str, str]:
    """The tenant is there, but its key was lost with the folder."""
    from shared.auth.scopes import FIRST_KEY_SCOPES

    tenant = next(one["tenant"] for one in gateway.everything("/v1/tenants") if one["name"] == NAME)
    body = {"tenant": tenant, "scopes": sorted(FIRST_KEY_SCOPES), "mode": "test"}
    return tenant, gateway.call("POST", "/v1/keys", body)["api_key"]
