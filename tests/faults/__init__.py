"""Faults in the wires, the journal and the process, at every place of a case's life; see docs/reliability.md.

`wires` cuts, resets, stalls and refuses between the daemon and its servers, `nursery` starts daemons that die where they
are told to, `story` plays one life and judges it from outside, `plan` says which faults there are, `campaign` runs them.
"""
