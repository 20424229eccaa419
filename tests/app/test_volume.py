"""What a data directory lies on, read from lists of mounts as containers have them."""

from pathlib import PurePosixPath

import pytest

from nestor.app.volume import Mount, doubt_of, mount_of

MOUNTS = """\
1050 983 0:55 / / ro,relatime master:1 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A:B,upperdir=/c
1051 1050 0:58 / /proc rw,nosuid - proc proc rw
1052 1050 0:59 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
1060 1050 8:1 /srv/nestor /data rw,relatime master:3 shared:7 - ext4 /dev/sda1 rw,errors=remount-ro
1061 1060 0:70 / /data/with\\040space rw - nfs4 nas:/x rw,vers=4.2
1062 1050 0:71 / /win rw - 9p C:\\134 rw,trans=virtio
1063 1050 0:72 / /home rw - fuse.grpcfuse grpcfuse rw
1064 1050 0:73 / /run/secrets rw - tmpfs tmpfs rw
1065 1064 8:2 / /run/secrets rw - xfs /dev/sdb rw
"""


def _mount(place: str) -> Mount | None:
    return mount_of(PurePosixPath(place), MOUNTS)


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/nestor-data", "overlay"),
        ("/data", "ext4"),
        ("/data/deep/below", "ext4"),
        ("/database", "overlay"),
        ("/data/with space/x", "nfs4"),
        ("/win/data", "9p"),
        ("/run/secrets/x", "xfs"),
    ],
)
def test_the_deepest_mount_counts_and_of_two_at_one_place_the_later(place: str, kind: str) -> None:
    mount = _mount(place)
    assert mount is not None
    assert mount.kind == kind


def test_what_is_no_list_of_mounts_tells_nothing() -> None:
    assert mount_of(PurePosixPath("/data"), "nonsense\n - \n1 2 3 - ext4\n") is None


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("/nestor-data", "is on no volume: CA and ledger are lost with this container"),
        ("/dev/shm", "is in memory (tmpfs): CA and ledger are lost at the next start"),
        ("/data/with space", "is on nfs4, where locks and writes of a database cannot be trusted"),
        ("/win", "is on 9p, where"),
        ("/home/nestor", "is on fuse.grpcfuse, where"),
    ],
)
def test_what_a_ledger_is_not_safe_on_is_told(place: str, words: str) -> None:
    mount = _mount(place)
    assert mount is not None
    doubt = doubt_of(PurePosixPath(place), mount)
    assert doubt is not None
    assert f"{place} {words}" in doubt


def test_a_local_disk_is_not_doubted() -> None:
    mount = _mount("/data")
    assert mount is not None
    assert doubt_of(PurePosixPath("/data"), mount) is None
