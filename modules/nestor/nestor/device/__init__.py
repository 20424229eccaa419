"""Device: what a device of IoT Edge is told: its config.toml, written and judged.

What stands here was read in the sources of the runtime: aziotctl turns the file into the settings of four services, and
aziot-certd, aziot-identityd and aziot-edged act on them. Nothing here talks to a device or to a server; one file looks
at the files that a config.toml names.
"""
