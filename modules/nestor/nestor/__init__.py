"""Nestor: certificates for the devices of layered networks, and their renewal for years.

A map of the house. Imports go down only; rooms side by side never import each other.

    cli         what an operator types; errors become exit codes here, once
    app         the only file that knows every room: settings become a House, which is swapped whole
    settings    the whole configuration as one frozen value, composed of the rooms' own settings
    web/        TLS, HTTP, the EST routes; the one table that turns errors into statuses
    registrar   the only place where the order of an enrollment is written
    access/     who is asking, may they, how often
    ca/         profiles, prepare -> lint -> sign, the CA's own certificates
    keys/       where private keys live
    ledger/     what was issued, durably, before anyone receives it
    ops/        watches events: the log, the health of the house
    backup/     one encrypted file, and how a new state takes the place of an old one
    upstream/   an EST client, and the server of the layer above as an Authority
    proxy/      carries what is no enrollment to the right neighbor, by a table of routes
    twin/       the module twin as documents: what may be wished, what is answered
    edge/       the wall towards the IoT Edge runtime: edgeHub by the SDK, the workload API
    device/     what a device of IoT Edge is told: its config.toml, written and judged
    doctor/     asks a running EST server the way aziot-certd would, and explains what it finds
    jobs        what happens unasked
    est/        RFC 7030, 8951 and 9908 as pure functions, for server and client alike
    document    how the configuration document is written: durations, names, references to secrets
    ports  events  finding  model  cloud  approval  adoption  conveyance  naming  disk  errors
                the doorways, what happened, what was found, the nouns, those of the cloud, what an operator has to
                approve and may let in, who asked across a hop, how names are compared, what it takes to be on the
                disk, what can go wrong
"""

__version__ = "0.1.0"
