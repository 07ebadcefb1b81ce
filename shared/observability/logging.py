"""One JSON object per line on stderr, whoever logs: our own code through structlog, libraries through `logging`.

Log facts, in lower_snake (`outbox_batch_published`), with ids and counts. Payloads and personal data are never passed
to a logger; as a second line of defence, what looks like an address or a credential is struck out of every line, since
drivers like to quote values in their messages.
"""

import logging
import re
import sys
from typing import cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.observability.context import VARIABLES

_SECRETS = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,190}"  # an e-mail address
    r"|treue_(?:live|test)_\w+"  # an API key
    r"|eyJ[\w-]{8,}\.[\w-]*\.?[\w-]*"  # a JSON Web Token
    r"|(?<=://)[^/\s:@\"]+:[^/\s@\"]+(?=@)"  # user and password in an URL
    r"|(?<=DETAIL:  )[^\n\"\\]+"  # the row that Postgres quotes
)
_JSON = structlog.processors.JSONRenderer(default=str)


# Until a process configures its logs (tests never do): no library default that prints local variables, which would
# hold payloads and credentials.
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ],
    logger_factory=structlog.PrintLoggerFactory(sys.stderr),
)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module, by its name."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger(name))


def configure_logging(service: str, role: str, level: str = "INFO") -> None:
    """Send all logs of this process to stderr as JSON. Call it once, first, in `__main__`."""
    before: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Identity(service, role),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *before],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _render,
            ],
        )
    )
    _take_over(handler, level)


def _take_over(handler: logging.Handler, level: str) -> None:
    """Make `handler` the only one: what libraries installed for themselves goes."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # At INFO these tell of every poll, heartbeat or connection.
    for chatty in ("aiokafka", "asyncio", "httpx", "uvicorn.error", "sqlalchemy.engine"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


class _Identity:
    """Adds who speaks and what it is about."""

    def __init__(self, service: str, role: str) -> None:
        self._who = {"service": service, "role": role}

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        line.update(self._who)
        for variable in VARIABLES:
            if value := variable.get():
                line.setdefault(variable.name, value)
        return line


def _render(logger: WrappedLogger, method: str, line: EventDict) -> str:
    return _SECRETS.sub("[struck out]", str(_JSON(logger, method, line)))
