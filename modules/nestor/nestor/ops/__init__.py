"""What watches events and never acts: the log, and the health of the house."""
