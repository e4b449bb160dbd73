"""The pure rooms a mail walks through: bytes become a value, a value a decision, a decision a letter.

Nothing in here does I/O, reads a clock, logs or draws a random number; the one thing read from disk is the package's
own word lists (`facts.py`).
"""
