"""The mechanism, tenants, API keys."""

from alembic import op

from shared.db.mechanism import create_mechanism_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "treue_gateway"

TABLES = (
    """
    CREATE TABLE tenant (
        tenant text NOT NULL, display_name text,
        currency text NOT NULL, time_zone text NOT NULL, locale text NOT NULL,
        programme_version bigint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL,
        CONSTRAINT pk_tenant PRIMARY KEY (tenant),
        CONSTRAINT ck_tenant_slug CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
        CONSTRAINT ck_tenant_programme_version CHECK (programme_version >= 0)
    )
    """,
    """
    CREATE TABLE api_key (
        tenant text NOT NULL, id text NOT NULL, mode text NOT NULL,
        secret_hash bytea NOT NULL, scopes text[] NOT NULL, name text,
        created_at timestamptz NOT NULL, created_by text NOT NULL,
        expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz,
        CONSTRAINT pk_api_key PRIMARY KEY (tenant, id),
        CONSTRAINT uq_api_key_id UNIQUE (id),
        CONSTRAINT fk_api_key_tenant FOREIGN KEY (tenant) REFERENCES tenant (tenant),
        CONSTRAINT ck_api_key_mode CHECK (mode IN ('live', 'test'))
    )
    """,
)

# What a key is never changes: only that it was used, and that it was revoked.
GRANTS = (
    f"REVOKE ALL ON tenant, api_key FROM {ROLE}",
    f"GRANT SELECT, INSERT, UPDATE ON tenant TO {ROLE}",
    f"GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON api_key TO {ROLE}",
)


def upgrade() -> None:
    create_mechanism_v1(op.execute, ROLE)
    for statement in (*TABLES, *GRANTS):
        op.execute(statement)
