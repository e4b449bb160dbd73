"""Servers the tests talk to: a real Dovecot, an SMTP sink that misbehaves on request, a scripted IMAP server."""
