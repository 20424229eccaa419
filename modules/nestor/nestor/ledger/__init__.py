"""The ledger: what was issued, durable before anyone receives it (design D5).

Everything that touches the database lives here, and nothing that decides who may have what. One thread writes, in
groups; whoever reads sees what is committed, also by other processes.
"""
