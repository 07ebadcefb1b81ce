"""What the operator chose for a stack, remembered in its folder: servers elsewhere, and how many workers."""

import os
from dataclasses import asdict, dataclass, field, replace

from deploy.local.folder import StackFolder

_FILE = "choices.json"


@dataclass(frozen=True)
class Choices:
    """An address of None means: the embedded server."""

    kafka_bootstrap: str | None = None
    database_url: str | None = None
    workers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def remembered(cls, folder: StackFolder) -> "Choices":
        return cls(**(folder.read(_FILE) or {}))

    def with_environment(self) -> "Choices":
        """The servers that KAFKA_BOOTSTRAP and DATABASE_URL name now; unset means embedded again."""
        return replace(
            self,
            kafka_bootstrap=os.environ.get("KAFKA_BOOTSTRAP") or None,
            database_url=os.environ.get("DATABASE_URL") or None,
        )

    def with_workers(self, workers: dict[str, int]) -> "Choices":
        return replace(self, workers=self.workers | workers)

    def save(self, folder: StackFolder) -> None:
        folder.write(_FILE, asdict(self))
