"""A shop's month, played: buyers write, the shop runs out of things, it snows, staff work their hours, and in the end everything
that was owed is counted from what the servers hold."""
