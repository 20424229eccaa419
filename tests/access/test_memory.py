"""What the gate remembers from one house to the next."""

from nestor.access.memory import Memory, Verified
from nestor.access.throttle import Rate

ONE = Rate(burst=1, pause=10.0)


def test_a_proof_is_of_all_its_parts_and_of_the_key() -> None:
    verified = Verified(bytes(32))
    proofs = [
        verified.proof("dev", "word", "hash"),
        verified.proof("dev", "wordh", "ash"),
        verified.proof("dev", "word"),
    ]
    assert len({*proofs, Verified(bytes(31) + b"\1").proof("dev", "word", "hash")}) == 4
    assert verified.proof("dev", "word", "hash") == proofs[0]


def test_a_proof_is_good_until_its_moment() -> None:
    verified = Verified(bytes(32))
    verified.keep(b"proof", 10.0)
    assert verified.holds(b"proof", 9.9)
    assert not verified.holds(b"proof", 10.0)
    assert not verified.holds(b"other", 0.0)


def test_the_oldest_proof_makes_way() -> None:
    verified = Verified(bytes(32), capacity=2)
    for name in (b"a", b"b", b"a", b"c"):
        verified.keep(name, 10.0)
    assert [verified.holds(name, 0.0) for name in (b"a", b"b", b"c")] == [True, False, True]


def test_who_asked_often_is_remembered_while_the_rate_is_the_same() -> None:
    memory = Memory()
    assert memory.buckets("failures", ONE).take("dev", 0.0) == 0
    assert memory.buckets("failures", Rate(burst=1, pause=10.0)).take("dev", 0.0) == 10
    assert memory.buckets("enrollments", ONE).take("dev", 0.0) == 0
    assert memory.buckets("failures", Rate(burst=2, pause=10.0)).take("dev", 0.0) == 0
