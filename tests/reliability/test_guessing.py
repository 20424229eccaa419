"""Passwords are guessed from everywhere: whoever knows one is let in meanwhile, and guessing gets nowhere."""

import base64
import time
from pathlib import Path

from nestor.access.passwords import hash_password
from nestor.access.users import User, add_user
from support.device import basic_header
from support.plants import Plant
from support.plants import plant as make_plant
from support.process import wait_for
from support.shapes import est_identity
from support.slow import HALF_REQUEST, Crowd

GUESSES = 80
QUICK = 3.0
"""Within which a hash is made for whoever is not kept waiting, also on a machine that is busy; a request has 12 s."""


def _guess(user: str, number: int) -> bytes:
    body = base64.b64encode(b"no request")
    head = HALF_REQUEST + f"Authorization: {basic_header(user, f'guess{number}')}\r\n".encode()
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _enroll(plant: Plant, user: str) -> int:
    return plant.server.device(user=(user, "right")).enroll(est_identity(user)).status


def test_a_right_password_is_let_in_while_many_addresses_guess(tmp_path: Path) -> None:
    plant = make_plant(tmp_path)
    for name in ("victim", "good"):
        add_user(plant.server.data / "users.json", User(name, hash_password("right")))
    with plant.server, Crowd(plant.line, GUESSES) as crowd:
        for number in range(GUESSES):
            crowd.say_half_a_request(_guess("victim", number))
        start = time.monotonic()
        assert _enroll(plant, "good") == 200
        assert time.monotonic() - start < QUICK
        assert _enroll(plant, "victim") == 200
        wait_for(lambda: "guessing" in plant.server.log(), 5)
        assert plant.server.log().count("guessing passwords: for victim, from 127.0.0.") == 1


def test_one_who_guesses_gets_an_answer_a_second(plant: Plant) -> None:
    with Crowd(plant.line, ["127.0.0.1"]) as crowd:
        for number in range(50):
            crowd.say_half_a_request(_guess("victim", number))
        wait_for(lambda: "guessing" in plant.server.log(), 10)
        crowd.answered()
        time.sleep(3)
        assert 1 <= crowd.answered() <= 4
