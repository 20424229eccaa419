"""What cannot be mended: told apart from what passes."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nestor.app.life import Life
from nestor.errors import CannotGoOn


@contextmanager
def _no_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_has_ended_is_the_end() -> None:
    with pytest.raises(CannotGoOn, match=r"The thread has ended\."):
        Life(lambda: 0.0).look("The thread has ended.")


def test_a_process_without_descriptors_is_lost_after_a_minute() -> None:
    now = 0.0
    life = Life(lambda: now)
    with _no_descriptors():
        life.look(None)
        now = 59.0
        life.look(None)
        now = 61.0
        with pytest.raises(CannotGoOn, match="could open no file"):
            life.look(None)


def test_a_process_that_gets_descriptors_again_goes_on() -> None:
    now = 0.0
    life = Life(lambda: now)
    with _no_descriptors():
        life.look(None)
    now = 59.0
    life.look(None)
    with _no_descriptors():
        now = 100.0
        life.look(None)
