"""A stand-in for the edge: a local edgeHub and a workload API, for people and tests. The product never imports it."""
