"""Mails that nobody wishes for, and what each of them must come to."""
