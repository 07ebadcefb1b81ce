"""The environment of each service in a local stack: the table of deploy/environment.py, filled in."""

from deploy.environment import SERVICES
from deploy.local.addresses import HOST, Addresses
from deploy.roles import app_role, owner_role, role_url

SENDER = "treue@localhost.localdomain"


def service_environment(service: str, addresses: Addresses, worker: str | None = None) -> dict[str, str]:
    """`worker` is the process name of a worker, which has a port of its own; by default the first one's."""
    credentials, prefix = addresses.credentials, service.upper()
    common = {
        "KAFKA_BOOTSTRAP": addresses.kafka,
        "INTERNAL_PUBLIC_KEY": credentials.public_key,
        "LOG_LEVEL": "INFO",
    }
    roles = {"DATABASE_URL": app_role(service), "MIGRATION_URL": owner_role(service)}
    own = {
        f"{prefix}_{name}": role_url(addresses.database, role, credentials.password(role))
        for name, role in roles.items()
    } | {
        f"{prefix}_HOST": HOST,
        f"{prefix}_PORT": str(addresses.ports[service]),
        f"{prefix}_WORKER_PORT": str(addresses.ports[worker or f"{service}-worker"]),
    }
    return common | own | _special(service, addresses)


def _special(service: str, addresses: Addresses) -> dict[str, str]:
    credentials = addresses.credentials
    if service == "gateway":
        owners = {f"GATEWAY_{name.upper()}_URL": addresses.api(name) for name in SERVICES if name != "gateway"}
        return owners | {
            "GATEWAY_SIGNING_KEY": credentials.signing_key,
            "GATEWAY_KEY_PEPPER": credentials.key_pepper,
            "GATEWAY_ADMIN_KEY": credentials.admin_key,
            "GATEWAY_MAIL_SMTPUTF8": "true",  # as the local mail sink has it
        }
    if service == "notifications":
        return {
            "NOTIFICATIONS_SMTP_HOST": HOST,
            "NOTIFICATIONS_SMTP_PORT": str(addresses.ports["mail"]),
            "NOTIFICATIONS_SENDER_ADDRESS": SENDER,
        }
    return {}
