"""What a certificate is asked for: names and extensions, in the shapes that IoT Edge uses; and as the server wants it.

Pure: keys and bindings come from elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nestor.errors import Malformed
from nestor.est.csrattrs import CsrAttributes
from nestor.est.pkcs10 import Extension
from nestor.est.wants import WantedName
from nestor.naming import EDGE_CA_PREFIX, LAYER_CA_PREFIX


@dataclass(frozen=True, slots=True)
class Wish:
    """The content of a request, without its key."""

    subject: x509.Name
    alternative_names: tuple[x509.GeneralName, ...] = ()
    extensions: tuple[Extension, ...] = ()


def identity(common_name: str, alternative_names: Sequence[x509.GeneralName] = ()) -> Wish:
    """A device identity: names, and no extension."""
    return Wish(_named(common_name), tuple(alternative_names))


def est_identity(wish: Wish) -> Wish:
    """The same names for a certificate to authenticate with, as aziot-certd asks for it."""
    return replace(wish, extensions=((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),))


def edge_ca(device: str) -> Wish:
    """The Edge CA of a device, as aziot-edged asks for it."""
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    return Wish(_named(EDGE_CA_PREFIX + device), extensions=((constraints, True), (_CA_USAGE, True)))


def layer_ca(layer: str, path_length: int) -> Wish:
    """The CA of a layer, with so many CAs below it."""
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    return Wish(_named(LAYER_CA_PREFIX + layer), extensions=((constraints, True), (_LAYER_CA_USAGE, True)))


def renewal(certificate: x509.Certificate) -> Wish:
    """The names of a certificate, which its renewal keeps (RFC 7030, 4.2.2)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Wish(certificate.subject)
    return Wish(certificate.subject, tuple(names))


def follow(wish: Wish, wanted: CsrAttributes, *, keep_names: bool = False) -> Wish:
    """The wish as the server wants it (RFC 7030, 4.5; RFC 9908): its subject, its extensions; gaps are filled by ours.

    A renewal keeps its names whatever the server wants. Raises Malformed for a subject that cannot be.
    """
    complete = [one.extension for one in wanted.extensions if one.extension is not None]
    names = next((tuple(one.value) for one in complete if isinstance(one.value, x509.SubjectAlternativeName)), None)
    asked = {one.oid: (one.value, one.critical) for one in complete if one.oid != x509.SubjectAlternativeName.oid}
    ours = {value.oid: (value, critical) for value, critical in wish.extensions}
    followed = replace(wish, extensions=tuple((ours | asked).values()))
    if keep_names:
        return followed
    subject = _filled(wanted.subject, wish.subject) if wanted.subject else wish.subject
    return replace(followed, subject=subject, alternative_names=wish.alternative_names if names is None else names)


def _filled(wanted: Sequence[WantedName], ours: x509.Name) -> x509.Name:
    """The subject of a template; what it leaves open is ours, and left out where we have nothing to say."""
    try:
        return x509.Name([part for one in wanted for part in _parts(one, ours)])
    except ValueError as error:
        raise Malformed("The server asks for a subject that no certificate can have.", "Tell its operator.") from error


def _parts(wanted: WantedName, ours: x509.Name) -> Sequence[x509.NameAttribute[str | bytes]]:
    if wanted.value is None:
        return ours.get_attributes_for_oid(wanted.type)
    return [x509.NameAttribute(wanted.type, wanted.value)]


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, crl_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


_CA_USAGE, _LAYER_CA_USAGE = _usage(crl_sign=False), _usage(crl_sign=True)
