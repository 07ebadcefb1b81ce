"""The fixtures of the integration tests that the mutants run again."""

from tests.integration.metrics.conftest import metrics
from tests.integration.notifications.conftest import bare, box, engine, migrated, settings, world
from tests.integration.points.conftest import api, books
from tests.integration.shared.conftest import spine

__all__ = ["api", "bare", "books", "box", "engine", "metrics", "migrated", "settings", "spine", "world"]
