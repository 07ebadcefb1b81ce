"""What was chosen for a stack, remembered in its folder: servers elsewhere, how many workers, whose it is."""

import os
from dataclasses import asdict, dataclass, field, replace

from deploy.local.folder import StackFolder

_FILE = "choices.json"


@dataclass(frozen=True)
class Choices:
    """An address of None means: the embedded server. With an `owner` (a process id) the stack ends when that process
    does, however it does."""

    kafka_bootstrap: str | None = None
    database_url: str | None = None
    workers: dict[str, int] = field(default_factory=dict)
    owner: int | None = None

    @classmethod
    def remembered(cls, folder: StackFolder) -> "Choices":
        return cls(**(folder.read(_FILE) or {}))

    def renewed(self, owner: int | None) -> "Choices":
        """For a new start: the servers that KAFKA_BOOTSTRAP and DATABASE_URL name now; unset means embedded again."""
        return replace(
            self,
            owner=owner,
            kafka_bootstrap=os.environ.get("KAFKA_BOOTSTRAP") or None,
            database_url=os.environ.get("DATABASE_URL") or None,
        )

    def with_workers(self, workers: dict[str, int]) -> "Choices":
        return replace(self, workers=self.workers | workers)

    def save(self, folder: StackFolder) -> None:
        folder.write(_FILE, asdict(self))
