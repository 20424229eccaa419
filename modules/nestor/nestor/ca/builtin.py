"""The profiles that every Nestor has, written as an operator would write them; the document may change them key by key.

Lifetimes follow the practice of IoT Edge: a device renews its identity and its Edge CA at 80 % of theirs.
"""

from collections.abc import Mapping

DEVICE_IDENTITY = "deviceIdentity"
EST_IDENTITY = "estIdentity"
EDGE_CA = "edgeCa"
SERVER = "server"
BOOTSTRAP = "bootstrap"
FORWARDER = "forwarder"
LAYER_CA = "layerCa"

BUILT_IN: Mapping[str, Mapping[str, object]] = {
    # What a device shows to DPS and IoT Hub. It asks for no extension at all and needs clientAuth (DPS refuses else).
    # keyEncipherment lets a device with an RSA key have keys that this server made wrapped for it (RFC 7030, 4.4.1.2).
    DEVICE_IDENTITY: {
        "lifetime": "30d",
        "keyUsage": "digitalSignature, keyEncipherment",
        "extendedKeyUsage": "clientAuth",
        "subject": {"registrationId": True},
        "authenticates": True,
        "renewable": True,
    },
    # What a device shows to this server, to be given everything else.
    EST_IDENTITY: {
        "lifetime": "30d",
        "keyUsage": "digitalSignature",
        "extendedKeyUsage": "clientAuth",
        "authenticates": True,
        "renewable": True,
        "mayRequest": "deviceIdentity, edgeCa, layerCa",
    },
    # What an IoT Edge gateway signs the certificates of its own modules with.
    EDGE_CA: {
        "lifetime": "90d",
        "ca": True,
        "pathLength": 0,
        "keyUsage": "digitalSignature, keyCertSign",
        "extendedKeyUsage": "",
        "alternativeNames": {"dns": "", "ip": ""},
    },
    # Any host of the layer. clientAuth is there for those that ask for it beside serverAuth, as local identities do.
    SERVER: {
        "lifetime": "90d",
        "keyUsage": "digitalSignature",
        "extendedKeyUsage": "serverAuth, clientAuth",
        "alternativeNames": {"dnsFromCommonName": True},
    },
    # What a factory puts into a device, good for fetching its first EST identity.
    BOOTSTRAP: {
        "lifetime": "1y",
        "jitter": "0%",
        "keyUsage": "digitalSignature",
        "extendedKeyUsage": "clientAuth",
        "authenticates": True,
        "mayRequest": "estIdentity",
    },
    # What a Nestor shows to its parent when it passes on the requests of others: cmcRA marks it (RFC 7030, 3.7). Only a
    # label and a grant that name the profile give it. It stands in for no device, and gets nothing else but the CA of
    # its layer, where access.layers names it.
    FORWARDER: {
        "lifetime": "90d",
        "keyUsage": "digitalSignature",
        "extendedKeyUsage": "clientAuth, cmcRA",
        "alternativeNames": {"dns": "", "ip": ""},
        "authenticates": True,
        "renewable": True,
        "mayRequest": "layerCa",
    },
    # What the Nestor of a layer below issues with. The path length leaves room for the Edge CAs below it, and for no
    # other; it is raised by one for every layer CA below. Only a label, a grant and access.layers together give it.
    LAYER_CA: {
        "lifetime": "1y",
        "ca": True,
        "pathLength": 1,
        "keyUsage": "digitalSignature, keyCertSign, cRLSign",
        "extendedKeyUsage": "",
        "alternativeNames": {"dns": "", "ip": ""},
        "keyReuse": False,
    },
}
