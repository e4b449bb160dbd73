"""IMAP: one connection of one account, with every library, socket and TLS error turned into responder's own.

`session` holds the commands (`listing` and `reading` do the longer ones), `login` opens the connection, `wire` sends
and reads, `answers` knows the grammar, `locate` chooses folders.
Nothing here decides anything, keeps a password, logs, or marks a mail as read.
"""

from responder.edges.imap.locate import Located, locate, spell
from responder.edges.imap.session import PartlyAppended, Session
from responder.edges.imap.values import Folder, Selected, Status

__all__ = ["Folder", "Located", "PartlyAppended", "Selected", "Session", "Status", "locate", "spell"]
