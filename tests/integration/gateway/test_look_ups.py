"""Looking up keys while Postgres hangs: whoever asks hears so in time, at whatever step the server fell silent."""

import time
from collections.abc import Awaitable, Callable

from sqlalchemy.engine import make_url

from services.gateway.adapters.keys import Keys
from services.gateway.bootstrap import MIGRATIONS, SERVICE
from shared.db.engine import create_engine
from shared.db.migrate import migrate
from shared.errors import UnavailableError
from tests.support.proxy import door_to
from tests.support.stack import Database

_IN_TIME_S = 1.8  # of the two seconds that are promised; the look-up itself has one


async def test_no_look_up_waits_for_a_server_that_hangs(database: Callable[[str], Awaitable[Database]]) -> None:
    """The server falls silent after none of its answers, after one, after two...: the look-up is cut off at its limit
    and asks the silent server for nothing more, neither for a rollback nor for a goodbye."""
    real = await database(SERVICE)
    await migrate(real.owner, SERVICE, MIGRATIONS)
    url = make_url(real.app)
    async with door_to(str(url.host), int(url.port or 5432)) as door:
        through = url.set(host="127.0.0.1", port=door.port).render_as_string(hide_password=False)
        engine = create_engine(through, name="look-ups", pool_size=1)
        keys, refused = Keys(engine), 0
        for answers in range(20):
            assert await keys.find("nobody") is None
            door.stick_after(answers)
            begun = time.monotonic()
            try:
                assert await keys.find("nobody") is None
                break  # so many answers are all that it needs
            except UnavailableError:
                refused += 1
            assert time.monotonic() - begun < _IN_TIME_S, f"silent after {answers} answers"
            await door.open()
        assert refused >= 3
        await engine.dispose()
