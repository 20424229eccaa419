"""Whose certificate it is: a serial number is unique among those of one issuer, and servers above are issuers as well.

SQLite takes a constraint off a table only by writing the table anew. What is there keeps an empty issuer: nobody reads
a million certificates for it, and their serial numbers are unique among them already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_KEPT = (
    *("id", "serial", "sha256", "device", "subject", "profile", "label", "not_before", "not_after", "issued_at"),
    *("method", "requester", "origin", "via", "address", "csr_sha256", "spki_sha256", "request_id"),
    *("state", "revoked_at", "revocation_reason", "adopted_at", "forwarder"),
)

_ROOM = 128 * 1024
"""Kilobytes of memory for the indexes while they grow, where there are that many rows: they are filled at random."""


def upgrade() -> None:
    """Write the table of certificates anew, with the issuer."""
    op.execute(f"PRAGMA cache_size = -{_ROOM}")
    _create("certificates_anew")
    _copy("certificates", "certificates_anew")
    op.drop_table("certificates")
    op.rename_table("certificates_anew", "certificates")
    op.create_index("certificates_live", "certificates", ["device", "not_after"], unique=False)
    op.create_index("certificates_spki_sha256", "certificates", ["spki_sha256"], unique=False)


def _copy(old: str, new: str) -> None:
    source = sa.table(old, *map(sa.column, _KEPT))
    target = sa.table(new, *map(sa.column, (*_KEPT, "issuer")))
    rows = sa.select(*source.c, sa.literal_column("x''")).order_by(source.c.id)
    op.execute(sa.insert(target).from_select([*target.c.keys()], rows))


def _create(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("serial", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("via", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("csr_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("spki_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revocation_reason", sa.Text(), nullable=True),
        sa.Column("adopted_at", sa.BigInteger(), nullable=True),
        sa.Column("forwarder", sa.Text(), nullable=True),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("serial", "issuer"),
        sa.UniqueConstraint("sha256"),
    )
