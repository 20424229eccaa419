"""The tables of the ledger, as they are at the newest revision; `migrations/` is how a ledger gets there.

Times are whole seconds since 1970 in UTC. Counts come from `counters`, never from counting rows. Writing pages is what
an entry costs, so an index stands here only for what enrollments ask; a person's rare question may walk the table.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

REVISION = "0006"
"""The newest migration; revisions are ordered as text."""

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")

certificates = Table(
    "certificates",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("serial", LargeBinary, nullable=False),
    Column("sha256", LargeBinary, nullable=False, unique=True),
    Column("device", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("via", LargeBinary),
    Column("address", Text, nullable=False),
    Column("csr_sha256", LargeBinary, nullable=False),
    Column("spki_sha256", LargeBinary, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("revoked_at", BigInteger),
    Column("revocation_reason", Text),
    Column("adopted_at", BigInteger),
    Column("forwarder", Text),
    Column("issuer", LargeBinary, nullable=False),
    UniqueConstraint("serial", "issuer"),
)

Index("certificates_spki_sha256", certificates.c.spki_sha256)
Index("certificates_live", certificates.c.device, certificates.c.not_after)

# Beside the rows that are searched, so that these stay small.
encodings = Table(
    "encodings",
    metadata,
    Column("certificate_id", _Id, ForeignKey(certificates.c.id), primary_key=True),
    Column("der", LargeBinary, nullable=False),
)

replays = Table(
    "replays",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("certificate_id", _Id, ForeignKey(certificates.c.id), nullable=False),
    Column("until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

one_time_uses = Table(
    "one_time_uses",
    metadata,
    Column("key", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("profile", Text, primary_key=True),
    Column("used_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

refusals = Table(
    "refusals",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("method", Text),
    Column("requester", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("request_id", Text, nullable=False),
)

adoptions = Table(
    "adoptions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("opened_at", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("profile", Text),
    Column("denied", Text, nullable=False),
    Column("ended_at", BigInteger),
)

intents = Table(
    "intents",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("sent_at", BigInteger, nullable=False),
    Column("device", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("spki_sha256", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

approvals = Table(
    "approvals",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("device", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("alternative_names", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("bound_key", LargeBinary, nullable=False),
    Column("takes_over_from", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("spki_sha256", LargeBinary, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("last_asked_at", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", Text, nullable=False),
)

Index("approvals_device", approvals.c.device)
# Counting what waits looks at this alone.
Index("approvals_state", approvals.c.state, approvals.c.caller, approvals.c.until, approvals.c.last_asked_at)

counters = Table(
    "counters",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
