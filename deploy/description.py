"""stack.json: what scripts need to talk to a stack. Its five fields are fixed."""

from dataclasses import asdict, dataclass

from deploy.local.folder import StackFolder
from deploy.problems import OperatorError


@dataclass(frozen=True)
class Description:
    base_url: str
    tenant: str
    api_key: str
    database_url: str
    kafka_bootstrap: str

    @classmethod
    def of(cls, folder: StackFolder) -> "Description | None":
        found = folder.read(folder.description.name)
        return cls(**found) if found else None

    @classmethod
    def required(cls, folder: StackFolder) -> "Description":
        found = cls.of(folder)
        if found is None:
            raise OperatorError(f"There is no stack in {folder.path}.", "Start one with `make up`.")
        return found

    def save(self, folder: StackFolder) -> None:
        folder.write(folder.description.name, asdict(self))

    def as_json(self) -> dict[str, str]:
        return asdict(self)
