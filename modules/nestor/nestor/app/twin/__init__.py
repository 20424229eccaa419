"""What the module twin wishes, weighed against what the host allows, and put into force.

wishes      the desired properties over time: heard, weighed, applied, kept, answered
host        what this host says: its defaults, its document, its directories
widening    what a wish would widen, and whether the host lets it
rules       the table: every key of the settings, and what a change of it may widen
"""
