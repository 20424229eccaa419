"""What the module twin wishes, weighed against what the host allows, and put into force.

wishes      the desired properties over time: heard, weighed, applied, kept, answered
store       where the last good wish is kept
standing    the settings of a module, for commands that run beside it
host        what this host says beside its twin: defaults, its document, options
weighing    whether a wish holds, and may be
widening    what a wish would widen, and whether the host lets it
changes     what a wish changes, key by key, and by what each is measured
rules       the table: every key of the settings, and what a change of it may widen
comparing   how a change of one key is measured
places      where the files are that a twin may name
"""
