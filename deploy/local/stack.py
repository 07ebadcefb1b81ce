"""One stack: its folder, its servers and its services."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from rich.console import Console

from deploy.local.addresses import Addresses
from deploy.local.choices import Choices
from deploy.local.credentials import load_or_create
from deploy.local.folder import StackFolder
from deploy.local.kafka import prepare_kafka
from deploy.local.log_files import last_line
from deploy.local.mailbox import mail_program
from deploy.local.ports import PREFERRED, Ports
from deploy.local.postgres import ADMIN, prepare_postgres
from deploy.local.program import Program
from deploy.local.services import service_programs
from deploy.local.supervisor import Supervisor, end_strays
from deploy.local.waiting import reach, wait_until
from deploy.problems import OperatorError
from deploy.roles import ROLES

_SERVER_TIMEOUT_S = 60.0


class LocalStack:
    """What `make up` and the tests start. Methods block; nothing here is asynchronous to its caller."""

    def __init__(self, folder: StackFolder, console: Console, preferred: Mapping[str, int] = PREFERRED) -> None:
        folder.create()
        self.folder = folder
        self.supervisor = Supervisor(folder)
        self._console = console
        self._ports = Ports(folder, preferred)
        self.credentials = load_or_create(folder, (ADMIN, *ROLES))

    @classmethod
    def chosen(cls, console: Console, preferred: Mapping[str, int] = PREFERRED) -> "LocalStack":
        """The stack of the folder that TREUE_HOME names, else of the project; made when it is not there yet."""
        return cls(StackFolder.chosen(), console, preferred)

    @classmethod
    def existing(cls, console: Console) -> "LocalStack":
        """The same, but only if somebody has started it before."""
        folder = StackFolder.chosen()
        if not folder.path.exists():
            raise OperatorError(f"There is no stack in {folder.path}.", "Start one with `make up`.")
        return cls(folder, console)

    @classmethod
    def with_servers(cls, console: Console) -> "LocalStack":
        """The same, but only if its servers can be there: running here, or chosen from elsewhere."""
        stack = cls.existing(console)
        elsewhere = stack.choices.database_url is not None and stack.choices.kafka_bootstrap is not None
        if not elsewhere and not stack.supervisor.is_running():
            raise OperatorError(f"The stack in {stack.folder.path} does not run.", "Start it with `make up`.")
        return stack

    def port(self, name: str) -> int:
        return self._ports[name]

    @property
    def choices(self) -> Choices:
        return Choices.remembered(self.folder)

    @property
    def addresses(self) -> Addresses:
        return Addresses(self.choices, self._ports, self.credentials)

    def launch(self, *, with_services: bool, owner: int | None = None) -> None:
        """Starts the supervisor and with it the servers; the services wait until they are told to start."""
        if self.supervisor.is_running():
            return
        self.choices.renewed(owner).save(self.folder)
        end_strays(self.folder)
        if remark := self._ports.renew(self._port_names(with_services)):
            self._console.print(remark)
        self._configure(with_services)
        self.supervisor.launch()

    def reconfigure(self) -> None:
        """Another number of workers, while the rest runs on."""
        self._configure(with_services=True)
        self.supervisor.apply()

    def service_names(self) -> list[str]:
        return [program.name for program in service_programs(self.addresses)]

    def wait_for_database(self) -> None:
        """Until PostgreSQL answers and has our database, roles and schemas."""
        from deploy.database import bootstrap

        wait_until("PostgreSQL", self._database_problem, _SERVER_TIMEOUT_S, self._look_at("postgres"))
        asyncio.run(bootstrap(self.addresses.database, self.credentials.passwords))

    def wait_for_kafka(self) -> list[str]:
        """Until Kafka answers and has our topics; returns those that were made."""
        from deploy.declared_topics import apply_declared_topics

        made: list[str] = []

        def problem() -> str | None:
            try:
                reach(self.addresses.kafka)
                made.extend(apply_declared_topics(self.addresses.kafka))
            except (OSError, RuntimeError) as error:
                # aiokafka's errors are RuntimeErrors that say themselves whether waiting helps.
                if not getattr(error, "retriable", True):
                    raise
                return str(error) or type(error).__name__
            return None

        wait_until("Kafka", problem, _SERVER_TIMEOUT_S, self._look_at("kafka"))
        return made

    def stop(self) -> None:
        """Services first, then the servers that they use, then the supervisor. Harmless when nothing runs."""
        if not self.supervisor.is_running():
            end_strays(self.folder)
            return
        servers = {"kafka", "postgres", "mail"}
        names = [process.name for process in self.supervisor.processes()]
        self.supervisor.stop(name for name in names if name not in servers)
        self.supervisor.stop(name for name in names if name in servers)
        self.supervisor.shut_down()

    def _configure(self, with_services: bool) -> None:
        services = service_programs(self.addresses) if with_services else ()
        self.supervisor.configure([*self._servers(), *services], self.choices.owner)

    def _servers(self) -> Iterable[Program]:
        choices = self.choices
        if choices.database_url is None:
            yield prepare_postgres(self.folder, self._ports, self.credentials.password(ADMIN))
        if choices.kafka_bootstrap is None:
            yield prepare_kafka(self.folder, self._ports, self._console)
        yield mail_program(self.folder, self._ports)

    def _port_names(self, with_services: bool) -> list[str]:
        choices = self.choices
        absent = {"postgres"} if choices.database_url else set()
        absent |= {"kafka", "kafka-controller"} if choices.kafka_bootstrap else set()
        servers = {"postgres", "kafka", "kafka-controller", "mail"}
        return [name for name in PREFERRED if name not in absent and (with_services or name in servers)]

    def _database_problem(self) -> str | None:
        from deploy.database import open_database

        return asyncio.run(open_database(self.addresses.database))

    def _look_at(self, name: str) -> Callable[[], str]:
        return lambda: f"Its last words: {last_line(self.folder.log(name))!r}. All of them: `treue logs {name}`."
