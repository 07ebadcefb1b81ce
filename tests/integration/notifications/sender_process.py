"""A process that sends what is due and ends; `TREUE_FAILPOINT` tells it where to die. Its settings come as JSON."""

import asyncio
import json
import sys

from services.notifications.bootstrap import build_senders
from services.notifications.settings import NotificationsSettings
from shared.db.engine import create_engine


async def main() -> None:
    settings = NotificationsSettings(**json.loads(sys.argv[1]))
    engine = create_engine(settings.database_url.get_secret_value(), name="test-sender", pool_size=2)
    (sender,) = build_senders(settings, engine)
    while await sender.send_due(asyncio.Event()):
        pass
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
