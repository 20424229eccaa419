"""A stand-in for the edge: a local edgeHub and a workload API, for people and tests. The product never imports it.

    with Edge(desired={"log": {"level": "debug"}}) as edge:
        process = subprocess.Popen(..., env={**environment, **edge.environment()})
        edge.wait_connected()
        edge.patch_desired({"log": None})
        edge.wait_for_reported(lambda reported: "log" in reported, seconds=5)
        status, payload = edge.invoke("getStatus", {}, seconds=5)
        edge.messages                     # what the module sent: output, body, content_type, properties
        edge.faults.lost_answers = 1      # see faults.py; edge.faults.clear() ends them
        edge.drop()                       # and forget_session, hub_leaves, hub_returns, renew_edge_ca, ...

edge        `Edge`: all of it in a thread, with a synchronous API; the device and what happens to it
cloud       the part of that API that the cloud has: twin, methods, messages, connection
hub         edgeHub: twin, methods, messages
broker      below it, MQTT over TLS: who may come, what is sent to whom
session     one client: its connection, and its subscriptions
mqtt        the packets of MQTT 3.1.1
topics      the topics of edgeHub
twin        a twin as a value
rules       what edgeHub takes as reported properties
workload    the workload API on its socket
identity    the module's key: signs and checks SAS tokens
pki         root, Edge CA, server certificates
faults      what can be made to go wrong
address     a loopback address for each
loop        the event loop, in its thread
changes     how other threads wait

For people, `make edge`:

desk        what a person can do, a command each
control     the socket by which a command line reaches a stand-in that runs
module      `nestor serve` as a process
deployment  the twin that it starts with
"""
