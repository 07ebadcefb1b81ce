"""Who is at the other end of a request, as far as the network tells."""

from contextvars import ContextVar
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

_SCOPE: ContextVar[Scope | None] = ContextVar("scope", default=None)
_NETWORK_BITS = 64  # whoever has one IPv6 address has all that differ in the rest

remember_client = _SCOPE.set


def client_address(proxies: int) -> str:
    """The address that the request at work comes from: the peer's, or behind `proxies` of our own what the outermost of
    them wrote into X-Forwarded-For. Whatever stands left of that is hearsay. Empty where there is none."""
    scope = _SCOPE.get()
    if scope is None:
        return ""
    peer = scope["client"][0] if scope.get("client") else ""
    return _network(_forwarded(scope, proxies) or peer)


def _forwarded(scope: Scope, proxies: int) -> str:
    if not proxies:
        return ""
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    hops = ",".join(values).split(",")
    return hops[-proxies].strip() if len(hops) >= proxies else ""


def _network(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return text[:64]
    if not isinstance(address, IPv6Address):
        return text
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), _NETWORK_BITS), strict=False))
