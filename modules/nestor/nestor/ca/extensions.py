"""The extensions of a certificate, in the order in which they are written: from the profile, never copied. Pure."""

from collections.abc import Iterator

from cryptography import x509

from nestor.ca.content import Content
from nestor.ca.issuer import Issuer
from nestor.ca.tbs import Extension
from nestor.ca.usages import key_usage, possible_usage


def extensions_of(content: Content, issuer: Issuer) -> Iterator[Extension]:
    """Every extension of a certificate (RFC 5280, 4.2.1), and whether it is critical."""
    profile = content.profile
    yield x509.BasicConstraints(profile.ca, content.path_length), True
    yield key_usage(possible_usage(profile.key_usage, content.key.type)), True
    if content.extended_key_usage:
        yield x509.ExtendedKeyUsage(content.extended_key_usage), False
    yield x509.SubjectKeyIdentifier.from_public_key(content.key.public), False
    yield x509.AuthorityKeyIdentifier(issuer.key_identifier, None, None), False
    if content.alternative_names:
        yield x509.SubjectAlternativeName(content.alternative_names), False
    if content.excluded:
        yield x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=content.excluded), True
