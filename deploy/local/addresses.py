"""Where the parts and services of a stack answer."""

from dataclasses import dataclass
from urllib.parse import quote

from deploy.local.choices import Choices
from deploy.local.credentials import Credentials
from deploy.local.ports import Ports
from deploy.local.postgres import ADMIN
from deploy.roles import DATABASE

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Addresses:
    """Computed from what the folder remembers; nothing is asked over the network."""

    choices: Choices
    ports: Ports
    credentials: Credentials

    @property
    def kafka(self) -> str:
        return self.choices.kafka_bootstrap or f"{HOST}:{self.ports['kafka']}"

    @property
    def database(self) -> str:
        """By the administrator."""
        if self.choices.database_url:
            return self.choices.database_url
        password = quote(self.credentials.password(ADMIN), safe="")
        return f"postgresql://{ADMIN}:{password}@{HOST}:{self.ports['postgres']}/{DATABASE}"

    def api(self, service: str) -> str:
        return f"http://{HOST}:{self.ports[service]}"

    def worker(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"
