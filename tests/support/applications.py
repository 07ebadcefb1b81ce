"""The HTTP sides of all services with nothing behind them: what they say before they look anything up."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway import bootstrap as gateway
from services.gateway.adapters.keys import Keys
from services.gateway.auth.api_key import mint, secret_hash
from services.gateway.auth.credentials import StoredKey
from services.gateway.forwarding.upstream import SERVICES, Question, Reply
from services.gateway.settings import GatewaySettings
from services.metrics import bootstrap as metrics
from services.metrics.settings import MetricsSettings
from services.notifications import bootstrap as notifications
from services.notifications.settings import NotificationsSettings
from services.points import bootstrap as points
from services.points.settings import PointsSettings
from shared.auth.principal import Principal
from shared.auth.scopes import ADMIN, SCOPES
from shared.auth.tokens import TokenSigner
from shared.clock import SystemClock
from shared.db.engine import create_engine
from shared.http.app import Application
from shared.messaging.producer import Producer
from tests.support.gateway import ADMIN_KEY, KeyPair

_NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
_PEPPER = "pepper"
NAMES = ("gateway", *SERVICES)


SHOP = Principal("demo", frozenset(SCOPES) - {ADMIN}, None, "key:test")


def applications(keys: KeyPair, upstreams: Any = None) -> Mapping[str, Application]:
    """Each by its name; the gateway asks `upstreams`."""
    engine = create_engine(_NOWHERE, name="test", pool_size=1)
    common = {"database_url": _NOWHERE, "kafka_bootstrap": "127.0.0.1:1", "internal_public_key": keys.public}
    mail = {"smtp_host": "unused", "sender_address": "shop@example.org"}
    return {
        "points": points.build_api(PointsSettings.model_validate(common), engine),
        "notifications": notifications.build_api(NotificationsSettings.model_validate(common | mail), engine),
        "metrics": metrics.build_api(MetricsSettings.model_validate(common), engine),
        "gateway": _gateway(common, keys, engine, upstreams),
    }


def _gateway(common: Mapping[str, Any], keys: KeyPair, engine: AsyncEngine, upstreams: Any) -> Application:
    addresses = {f"{name}_url": "http://127.0.0.1:1" for name in SERVICES}
    own = {"signing_key": keys.private, "key_pepper": _PEPPER, "admin_key": ADMIN_KEY}
    settings = GatewaySettings.model_validate({**common, **addresses, **own})
    producer = Producer(settings.kafka_bootstrap, client_id="test")
    return gateway.build_api(settings, engine, producer, upstreams, gateway.build_sharing(settings, upstreams))


@dataclass
class InProcess:
    """A service as the gateway asks it, without a network between them."""

    app: Application

    async def ask(self, question: Question) -> Reply:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://service.test") as http:
            answer = await http.request(
                question.method, question.target.decode(), headers=list(question.headers), content=question.body
            )
        return Reply(answer.status_code, {n.lower(): v for n, v in answer.headers.raw}, answer.content)


@asynccontextmanager
async def asking(name: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Who asks the service of this name with a credential that may do everything; the gateway has all the others
    behind it."""
    keys, upstreams, key = KeyPair.fresh(), dict[str, InProcess](), mint("test")
    stored = StoredKey(key.id, SHOP.tenant, secret_hash(key.secret, _PEPPER), SHOP.scopes, None, None)
    monkeypatch.setattr(Keys, "find", lambda *_: _completed(stored))
    apps = applications(keys, upstreams)
    upstreams.update((service, InProcess(apps[service])) for service in SERVICES)
    token = TokenSigner(keys.private, SystemClock()).sign(SHOP, 600)
    credential = key.text if name == "gateway" else token
    headers = {"authorization": f"Bearer {credential}"}
    transport = httpx.ASGITransport(apps[name])
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{name}.test", headers=headers) as http:
        yield http


async def _completed(result: Any) -> Any:
    return result
