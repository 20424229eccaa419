"""The wall towards the IoT Edge runtime: what it tells a module, edgeHub by way of the SDK, the workload API.

identity    what the runtime tells a module about itself, from its environment
workload    the workload API on its socket: trust bundle, server certificates, encrypt and decrypt
sealing     bytes that only this host opens, by the workload API; implements the Sealer port
link        keeps the way to edgeHub for as long as the module lives; implements the Hub port
session     one client, from its connection to its loss
client      azure-iot-device, and nothing but that; the only file that imports it
told        what a client tells, and how its calls fail
desired     which desired properties count: whole twins, patches, versions, as a pure function
handover    what came from the cloud, to the module's side: one after the other, answered once
crew        threads for calls that may never return
patience    how long the link waits for what

Here nobody knows what the documents mean that go through: `twin` does, and `app` decides.
"""
