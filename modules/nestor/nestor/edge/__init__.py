"""The wall towards the IoT Edge runtime: what it tells a module, edgeHub by way of the SDK, the workload API.

identity    what the runtime tells a module about itself, from its environment
workload    the workload API on its socket: trust bundle, server certificates, encrypt and decrypt
client      azure-iot-device, and nothing but that; the only file that imports it
link        keeps a client alive and true, whatever it does; implements the Hub port
desired     which desired properties count: whole twins, patches, versions, as a pure function

Here nobody knows what the documents mean that go through: `twin` does, and `app` decides.
"""
