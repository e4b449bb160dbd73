"""The journal: what responder has promised, kept on disk before it acts.

Each step is: write the intent, act, write the result. After a restart intents without a result are resolved by
looking at the mail server, never by repeating blindly. The functions take an open transaction, so that a flow says
what is committed together.
"""

from responder.edges.journal.engine import Journal, JournalInUse, JournalUnavailable

__all__ = ["Journal", "JournalInUse", "JournalUnavailable"]
