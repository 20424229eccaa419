"""A path that is not served: whoever asks is told who can mend it."""

import pytest

from nestor.conveyance import Conveyance
from nestor.errors import UnknownPath
from nestor.model import Credentials, Operation
from nestor.registrar.desk import Ask
from nestor.registrar.reception import Reception


@pytest.mark.parametrize(
    ("conveyed", "hint"), [(None, "which URL this device is to use"), (Conveyance(), "looks at its upstream.labels")]
)
async def test_a_device_is_sent_to_its_url_and_a_forwarder_to_its_map_of_labels(
    conveyed: Conveyance | None, hint: str
) -> None:
    ask = Ask(Operation.SIMPLE_ENROLL, "line9", b"", Credentials("127.0.0.1", conveyed=conveyed), "1a")
    with pytest.raises(UnknownPath) as told:
        await Reception({}).enroll(ask)
    assert "of the label line9" in told.value.sentence
    assert hint in told.value.hint
