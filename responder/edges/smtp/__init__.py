"""SMTP: a batch of mails over one connection, each with an exact outcome.

`submit` runs the transactions, `login` opens the connection, `wire_form` checks and writes what goes over the line.
Nothing here decides whether a mail may be sent, and nothing is ever sent twice.
"""

from responder.edges.smtp.login import try_login
from responder.edges.smtp.submit import submit_batch

__all__ = ["submit_batch", "try_login"]
