"""Who conveyed the request for a certificate, and over which hops."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what the ledger keeps of the way of a request."""
    op.add_column("certificates", sa.Column("forwarder", sa.Text(), nullable=True))
