"""The HTTP sides of all services with nothing behind them: what they say before they look anything up."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway import bootstrap as gateway
from services.gateway.forwarding.upstream import SERVICES, Upstreams
from services.gateway.settings import GatewaySettings
from services.metrics import bootstrap as metrics
from services.metrics.settings import MetricsSettings
from services.notifications import bootstrap as notifications
from services.notifications.settings import NotificationsSettings
from services.points import bootstrap as points
from services.points.settings import PointsSettings
from shared.db.engine import create_engine
from shared.http.app import Application
from shared.messaging.producer import Producer
from tests.support.gateway import ADMIN_KEY, KeyPair

_NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
NAMES = ("gateway", *SERVICES)


def applications(keys: KeyPair, upstreams: Any = None) -> Mapping[str, Application]:
    """Each by its name; the gateway asks `upstreams`."""
    engine = create_engine(_NOWHERE, name="test", pool_size=1)
    common = {"database_url": _NOWHERE, "kafka_bootstrap": "127.0.0.1:1", "internal_public_key": keys.public}
    mail = {"smtp_host": "unused", "sender_address": "shop@example.org"}
    return {
        "gateway": _gateway(common, keys, engine, upstreams),
        "points": points.build_api(PointsSettings.model_validate(common), engine),
        "notifications": notifications.build_api(NotificationsSettings.model_validate(common | mail), engine),
        "metrics": metrics.build_api(MetricsSettings.model_validate(common), engine),
    }


def _gateway(common: Mapping[str, Any], keys: KeyPair, engine: AsyncEngine, upstreams: Any) -> Application:
    addresses = {f"{name}_url": "http://127.0.0.1:1" for name in SERVICES}
    own = {"signing_key": keys.private, "key_pepper": "pepper", "admin_key": ADMIN_KEY}
    settings = GatewaySettings.model_validate({**common, **addresses, **own})
    if upstreams is None:
        upstreams = Upstreams(dict.fromkeys(SERVICES, "http://127.0.0.1:1"), 1, 1)
    return gateway.build_api(settings, engine, Producer(settings.kafka_bootstrap, client_id="test"), upstreams)
