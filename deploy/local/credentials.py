"""The secrets of a local stack, made once and kept in its folder with mode 600."""

import secrets
from dataclasses import asdict, dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from deploy.local.folder import StackFolder

_FILE = "secrets.json"


@dataclass(frozen=True)
class Credentials:
    """Signing keys are PEM texts; passwords are by database role."""

    signing_key: str
    public_key: str
    key_pepper: str
    admin_key: str
    passwords: dict[str, str]

    def password(self, role: str) -> str:
        return self.passwords[role]


def load_or_create(folder: StackFolder, roles: tuple[str, ...]) -> Credentials:
    remembered = folder.read(_FILE)
    known = Credentials(**remembered) if remembered else fresh_credentials()
    missing = {role: secrets.token_urlsafe(24) for role in roles if role not in known.passwords}
    if missing or not remembered:
        known = replace(known, passwords=known.passwords | missing)
        folder.write(_FILE, asdict(known))
    return known


def fresh_credentials() -> Credentials:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Credentials(
        signing_key=private.decode(),
        public_key=public.decode(),
        key_pepper=secrets.token_urlsafe(32),
        admin_key=f"treue_admin_{secrets.token_urlsafe(32)}",
        passwords={},
    )
