"""Base URLs as people write them."""

import pytest

from nestor.errors import SettingsError
from nestor.est.address import split_base


def test_https_goes_without_saying() -> None:
    parts = split_base("est.plant:8085", None)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "est.plant:8085", "")


def test_plain_http_passes_only_where_told_so() -> None:
    assert split_base("http://est.plant/est", None, plain_http=True).scheme == "http"
    for text, plain in (("http://est.plant", False), ("ftp://est.plant", True)):
        with pytest.raises(SettingsError, match="EST is spoken over HTTPS only"):
            split_base(text, None, plain_http=plain)


def test_a_label_is_judged_along() -> None:
    with pytest.raises(SettingsError, match="cannot be a label"):
        split_base("est.plant", "a/b")
