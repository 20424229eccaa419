"""Direct methods: what an operator asks this module by way of IoT Hub, without ever logging in to the device.

form           what a method is, and what it may touch
status         getStatus
authority      getCaCertificates, proveCa: enough to make DPS or IoT Hub trust the CA
certificates   listCertificates, getCertificate, revokeCertificate
approvals      listPending, approve, deny: the word of an operator on requests that wait for it
record         a certificate, as these answer it
table          every method by its name
desk           takes a call, judges its payload, answers; raises nothing
faults         what can go wrong, as statuses and sentences

A method is one coroutine between two documents. Adding one is a function and a line in the table.
"""
