"""What responder costs, always measured against the bare work of the same kind on the same servers in the same run.

Absolute figures of a busy machine say little; the ratios hold. Run `python -m bench`.
"""
