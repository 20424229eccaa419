"""What the document may say of the ledger."""

import pytest
from pydantic import ValidationError

from nestor.ledger.settings import LedgerSettings


def test_ten_thousand_refusals_are_kept_unless_told_otherwise() -> None:
    assert LedgerSettings.model_validate({}).kept_refusals == 10_000


def test_a_negative_number_of_refusals_is_an_error() -> None:
    with pytest.raises(ValidationError):
        LedgerSettings.model_validate({"keptRefusals": -1})
