"""The object identifiers that EST messages use and `cryptography` does not name. Names are those of the standards."""

from cryptography.x509 import ObjectIdentifier

# CMS content types (RFC 5652; RFC 5958, 2)
DATA = ObjectIdentifier("1.2.840.113549.1.7.1")
SIGNED_DATA = ObjectIdentifier("1.2.840.113549.1.7.2")
ENVELOPED_DATA = ObjectIdentifier("1.2.840.113549.1.7.3")
ASYMMETRIC_KEY_PACKAGE = ObjectIdentifier("2.16.840.1.101.2.1.2.78.5")

# Attributes of CMS (RFC 5652, 11)
CONTENT_TYPE = ObjectIdentifier("1.2.840.113549.1.9.3")
MESSAGE_DIGEST = ObjectIdentifier("1.2.840.113549.1.9.4")

# Attributes of a certification request
CHALLENGE_PASSWORD = ObjectIdentifier("1.2.840.113549.1.9.7")  # RFC 2985, 5.4.1
EXTENSION_REQUEST = ObjectIdentifier("1.2.840.113549.1.9.14")  # RFC 2985, 5.4.2
MICROSOFT_EXTENSION_REQUEST = ObjectIdentifier("1.3.6.1.4.1.311.2.1.14")
SMIME_CAPABILITIES = ObjectIdentifier("1.2.840.113549.1.9.15")  # RFC 8551, 2.5.2
DECRYPT_KEY_ID = ObjectIdentifier("1.2.840.113549.1.9.16.2.37")  # RFC 4108, 2.2.5
ASYMMETRIC_DECRYPT_KEY_ID = ObjectIdentifier("1.2.840.113549.1.9.16.2.54")  # RFC 7030, 4.4.1.2
CHANGE_SUBJECT_NAME = ObjectIdentifier("1.3.6.1.5.5.7.7.36")  # RFC 6402, 2.8

# The template of a request (RFC 9908, 3.4)
REQUEST_INFO_TEMPLATE = ObjectIdentifier("1.2.840.113549.1.9.16.2.61")
EXTENSION_REQUEST_TEMPLATE = ObjectIdentifier("1.2.840.113549.1.9.16.2.62")

# Key wrapping and content encryption (RFC 3565; NIST CSOR)
AES_128_WRAP = ObjectIdentifier("2.16.840.1.101.3.4.1.5")
AES_192_WRAP = ObjectIdentifier("2.16.840.1.101.3.4.1.25")
AES_256_WRAP = ObjectIdentifier("2.16.840.1.101.3.4.1.45")
AES_128_CBC = ObjectIdentifier("2.16.840.1.101.3.4.1.2")
AES_256_CBC = ObjectIdentifier("2.16.840.1.101.3.4.1.42")

# Key transport and key agreement (RFC 4055, 4.1; RFC 5753, 7.1.4)
MGF1 = ObjectIdentifier("1.2.840.113549.1.1.8")
RSAES_OAEP = ObjectIdentifier("1.2.840.113549.1.1.7")
STD_DH_SHA1_KDF = ObjectIdentifier("1.3.133.16.840.63.0.2")
STD_DH_SHA256_KDF = ObjectIdentifier("1.3.132.1.11.1")
STD_DH_SHA384_KDF = ObjectIdentifier("1.3.132.1.11.2")
STD_DH_SHA512_KDF = ObjectIdentifier("1.3.132.1.11.3")

# Hashes (NIST CSOR)
SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
SHA384 = ObjectIdentifier("2.16.840.1.101.3.4.2.2")
SHA512 = ObjectIdentifier("2.16.840.1.101.3.4.2.3")

# Keys
EC_PUBLIC_KEY = ObjectIdentifier("1.2.840.10045.2.1")
RSA_ENCRYPTION = ObjectIdentifier("1.2.840.113549.1.1.1")
RSASSA_PSS = ObjectIdentifier("1.2.840.113549.1.1.10")
ED25519 = ObjectIdentifier("1.3.101.112")
ML_DSA_44 = ObjectIdentifier("2.16.840.1.101.3.4.3.17")
ML_DSA_65 = ObjectIdentifier("2.16.840.1.101.3.4.3.18")
ML_DSA_87 = ObjectIdentifier("2.16.840.1.101.3.4.3.19")
P256 = ObjectIdentifier("1.2.840.10045.3.1.7")
P384 = ObjectIdentifier("1.3.132.0.34")
P521 = ObjectIdentifier("1.3.132.0.35")

# Purposes of certificates beside those that the library names
CMC_RA = ObjectIdentifier("1.3.6.1.5.5.7.3.28")  # RFC 6402, 2.10
