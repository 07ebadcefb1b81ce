"""The fixtures of the integration tests that the mutants run again."""

from tests.integration.notifications.conftest import bare, box, engine, migrated, settings, world
from tests.integration.points.conftest import books
from tests.integration.shared.conftest import spine

__all__ = ["bare", "books", "box", "engine", "migrated", "settings", "spine", "world"]
