"""The names of roles and schemas, and the addresses that they make of the administrator's."""

from urllib.parse import quote, urlsplit, urlunsplit

from deploy.environment import SERVICES

AUDITOR = "treue_auditor"
DATABASE = "treue"


def owner_role(service: str) -> str:
    return f"treue_{service}_owner"


def app_role(service: str) -> str:
    return f"treue_{service}"


ROLES = (AUDITOR, *(role(service) for service in SERVICES for role in (owner_role, app_role)))


def role_url(admin_url: str, role: str, password: str) -> str:
    """The same database by another role."""
    parts = urlsplit(admin_url)
    server = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role, safe='')}:{quote(password, safe='')}@{server}"))


def database_url(admin_url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{database}"))
