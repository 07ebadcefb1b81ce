"""The HTTP side of points in this process, and callers with the gateway's tokens."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr

from services.points.bootstrap import build_api
from services.points.settings import PointsSettings
from shared.auth.principal import Principal
from shared.auth.scopes import FIRST_KEY_SCOPES
from shared.auth.tokens import TokenSigner
from shared.clock import SystemClock
from tests.support.points import Books, Shop

_KEY = Ed25519PrivateKey.generate()
_PRIVATE = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC_KEY = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class PointsApi:
    """Makes clients; each is used as a context manager."""

    def __init__(self, books: Books) -> None:
        settings = PointsSettings(
            database_url=SecretStr("postgresql://unused"), kafka_bootstrap="unused", internal_public_key=PUBLIC_KEY
        )
        self._app = build_api(settings, books.engine)
        self._signer = TokenSigner(_PRIVATE, SystemClock())

    def key(self, shop: Shop, scopes: tuple[str, ...] = tuple(FIRST_KEY_SCOPES)) -> AsyncClient:
        return self._client(Principal(shop.tenant, frozenset(scopes), subject="key"))

    def customer(self, shop: Shop, customer: str) -> AsyncClient:
        return self._client(Principal(shop.tenant, frozenset(), customer))

    def nobody(self) -> AsyncClient:
        return self._client(None)

    def _client(self, principal: Principal | None) -> AsyncClient:
        token = self._signer.sign(principal, 60) if principal else ""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return AsyncClient(transport=ASGITransport(self._app), base_url="http://points", headers=headers)
