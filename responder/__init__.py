"""responder: reads a shop's mailbox and puts finished replies into Drafts, for a person to approve."""

__version__ = "0.1.0"
