"""Whether those who need a file can read it, and nobody else reads a key: by owner and mode, as the kernel does. Pure.

Two services read the files of a config.toml: aziot-certd certificates, aziot-keyd keys, each under a user of its own.
"""

import stat
from collections.abc import Iterator

from nestor.device.files import Disk, Seen, Step, User
from nestor.device.findings import problem, warning
from nestor.device.places import CERTIFICATE_READER, KEY_READER, Use
from nestor.finding import Finding

_NEXT = {
    Use.TRUST: "Put the server's CA there: nestor ca export --root.",
    Use.CERTIFICATE: "Put the certificate there.",
    Use.KEY: "Put the key there.",
}
_OTHERS = stat.S_IRWXO
_GROUP = stat.S_IRWXG


def check_ownership(disk: Disk) -> Iterator[Finding]:
    """What is missing, unreadable for who needs it, or readable for others."""
    unknown = [name for name in (CERTIFICATE_READER, KEY_READER) if name not in disk.users]
    if unknown:
        yield warning(
            "/etc/passwd",
            f"there is no user {' and no user '.join(unknown)} here, so owners and modes were not judged.",
            "Install aziot-edge first, or look at the device itself.",
        )
    for seen in disk.files:
        if not seen.is_there:
            yield problem(seen.place.at, f"{seen.place.path} cannot be found: {seen.trouble}.", _NEXT[seen.place.use])
            continue
        if seen.content is None:
            yield warning(seen.place.at, f"{seen.place.path} cannot be read by you: {seen.trouble}.", "Use sudo.")
        user = disk.users.get(seen.place.reader)
        if user is not None:
            yield from _check_reader(seen, user)
            yield from _check_others(seen, user)


def check_own_mode(config: Step | None) -> Iterator[Finding]:
    """A config.toml with a password is nobody else's business."""
    if config is not None and config.mode & (_OTHERS | _GROUP):
        yield warning(
            config.path, "it holds a secret, and others than its owner can use it.", f"sudo chmod 600 {config.path}"
        )


def _check_reader(seen: Seen, user: User) -> Iterator[Finding]:
    place = seen.place
    for step in seen.steps:
        is_file = step is seen.steps[-1]
        if _may(user, step, stat.S_IROTH if is_file else stat.S_IXOTH):
            continue
        mode = "600" if place.use is Use.KEY else "644"
        remedy = f"sudo chown {place.reader}:{place.reader} {step.path} && sudo chmod {mode} {step.path}"
        yield problem(
            place.at,
            f"{place.reader} cannot {'read' if is_file else 'pass'} {step.path} ({_shown(step)}).",
            remedy if is_file else f"sudo chmod o+x {step.path}, or make it {place.reader}'s.",
        )
        return


def _check_others(seen: Seen, user: User) -> Iterator[Finding]:
    step = seen.steps[-1]
    if seen.place.use is not Use.KEY:
        return
    shared = step.mode & _GROUP and step.gid not in user.groups
    if step.mode & _OTHERS or shared:
        yield warning(
            seen.place.at,
            f"the key {step.path} can be used by others ({_shown(step)}).",
            f"sudo chmod 600 {step.path}",
        )


def _may(user: User, step: Step, bit: int) -> bool:
    """Whether a user has a permission, given as its bit for others: only the first class that fits counts."""
    if user.uid == step.uid:
        return bool(step.mode & bit << 6)
    if step.gid in user.groups:
        return bool(step.mode & bit << 3)
    return bool(step.mode & bit)


def _shown(step: Step) -> str:
    return f"owner {step.uid}, group {step.gid}, mode {stat.S_IMODE(step.mode):03o}"
