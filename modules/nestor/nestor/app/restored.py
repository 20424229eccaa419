"""What a person needs to know after a restore: what stands there now, and what only they can do."""

from collections.abc import Iterator

from nestor.app.restore import Outcome
from nestor.backup.archive import DATA
from nestor.backup.manifest import Manifest
from nestor.ledger.opening import FILE as LEDGER

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def about(manifest: Manifest) -> dict[str, str]:
    """What a backup holds, in short."""
    ledger = manifest.ledger
    number = f"{ledger.certificates} certificate{'' if ledger.certificates == 1 else 's'}"
    newest = f", the newest of {ledger.newest_at:{_TIME}}" if ledger.newest_at else ""
    return {
        "made": f"{manifest.made:{_TIME}}",
        "of": manifest.data,
        "CA": manifest.ca.subject,
        "CA SHA-256": manifest.ca.fingerprint.upper(),
        "CA key": "in the backup" if manifest.ca.key else "not in the backup",
        "ledger": f"{number}, {ledger.revoked} revoked{newest}",
    }


def done(outcome: Outcome) -> dict[str, str]:
    """What a restore did; what it had nothing of is left out."""
    fields = about(outcome.manifest) | {
        "put back": ", ".join(outcome.put) or "nothing: everything was there",
        "left as it was": ", ".join(outcome.left),
        "moved aside": f"{', '.join(outcome.replaced)}: to {outcome.aside}" if outcome.replaced else "",
        "from elsewhere": str(outcome.elsewhere or ""),
        "revoked again": str(outcome.revoked_since or ""),
    }
    return {name: value for name, value in fields.items() if value}


def _configuration(outcome: Outcome) -> str:
    """The option that names the configuration, where the backup had one."""
    manifest = outcome.manifest
    member = next((one for one in manifest.members if one.path == manifest.configuration), None)
    if member is None:
        return ""
    inside = outcome.aside.parent / member.path.removeprefix(f"{DATA}/")
    return f" --config {member.origin or inside}"


def next_steps(outcome: Outcome) -> Iterator[str]:
    """What is left to do, in its order."""
    made, data = f"{outcome.manifest.made:{_TIME}}", outcome.aside.parent
    if outcome.missing_key is not None:
        yield f"The CA's key is not in the backup: bring it back to {outcome.missing_key}."
    if outcome.sealed:
        command = f"nestor ca recover{_configuration(outcome)} --data {data}"
        yield f"The CA's key is sealed. If this is another host than the one that sealed it: {command}"
    if outcome.elsewhere is not None:
        origins = ", ".join(member.origin for member in outcome.manifest.members if member.origin)
        yield f"{outcome.elsewhere} holds what did not live in the data directory; put it back: {origins}."
    if outcome.manifest.left_out:
        yield f"Not in the backup, and needed: {', '.join(outcome.manifest.left_out)}."
    if outcome.at < outcome.manifest.made:
        yield f"The clock of this host shows {outcome.at:{_TIME}}, which is before the backup was made: set it."
    if LEDGER in outcome.put and outcome.revoked_since is None:
        yield (
            f"Nobody here knows what was revoked after {made}. If you still have the file revocations.log, put it into "
            f"{data}; else name what was revoked when you adopt (--deny)."
        )
    if outcome.one_time:
        yield f"One-time passwords may have been used since, and count again: {', '.join(outcome.one_time)}."
    yield f"Start the server: nestor serve{_configuration(outcome)} --data {data}"
    if LEDGER in outcome.put:
        yield (
            f"Certificates issued after {made} are unknown to this ledger, and refused. To let their devices renew: "
            f"nestor ledger adopt --since {made} --data {data}"
        )
