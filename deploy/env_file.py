"""`treue env`: a filled .env for docker compose. `.env.example` is the same file without its secrets."""

import secrets
from collections.abc import Mapping

from deploy.environment import BOOTSTRAP, COMMON, SERVICES, Variable, own_variables
from deploy.local.credentials import fresh_credentials
from deploy.local.folder import PROJECT
from deploy.output import show
from deploy.roles import AUDITOR, DATABASE, app_role, owner_role

POSTGRES_PASSWORD = Variable("POSTGRES_PASSWORD", "What the postgres container gives its administrator.", secret=True)
_SERVER = "postgres:5432"
_HEAD = """\
# The variables of the platform, for docker compose. `treue env > .env` writes this file with fresh secrets.
# They are the same wherever it runs: deploy/environment.py is the list, and a test compares.
"""


def env() -> None:
    """Print a .env for docker compose, with fresh secrets."""
    filled = fresh_secrets()
    show(filled, rendered(filled).rstrip("\n"))


def sections() -> dict[str, tuple[Variable, ...]]:
    """All variables, each once, in the order of the file."""
    services = {f"The service {service}": own_variables(service) for service in SERVICES}
    return {"Every service": COMMON, "The bootstrap job": (POSTGRES_PASSWORD, *BOOTSTRAP)} | services


def rendered(values: Mapping[str, str]) -> str:
    lines = [_HEAD]
    for title, variables in sections().items():
        lines.append(f"# {title}")
        for variable in variables:
            lines += [f"# {variable.meaning}", _line(variable, values)]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _line(variable: Variable, values: Mapping[str, str]) -> str:
    """What is optional is commented out: an empty value is not the same as none."""
    line = f"{variable.name}={values.get(variable.name, variable.example)}"
    return f"# {line}" if variable.optional else line


def fresh_secrets() -> dict[str, str]:
    credentials, admin_password = fresh_credentials(), _password()
    made = {
        "INTERNAL_PUBLIC_KEY": _one_line(credentials.public_key),
        "GATEWAY_SIGNING_KEY": _one_line(credentials.signing_key),
        "GATEWAY_KEY_PEPPER": credentials.key_pepper,
        "GATEWAY_ADMIN_KEY": credentials.admin_key,
        POSTGRES_PASSWORD.name: admin_password,
        "DATABASE_URL": _url("postgres", admin_password),
        "AUDITOR_DATABASE_URL": _url(AUDITOR, _password()),
    }
    for service in SERVICES:
        made[f"{service.upper()}_DATABASE_URL"] = _url(app_role(service), _password())
        made[f"{service.upper()}_MIGRATION_URL"] = _url(owner_role(service), _password())
    return made


def _url(role: str, password: str) -> str:
    return f"postgresql://{role}:{password}@{_SERVER}/{DATABASE}"


def _password() -> str:
    return secrets.token_urlsafe(24)


def _one_line(pem: str) -> str:
    """In single quotes: compose and shells would expand the backslashes otherwise."""
    return "'" + pem.replace("\n", "\\n") + "'"


if __name__ == "__main__":
    (PROJECT / ".env.example").write_text(rendered({}))
