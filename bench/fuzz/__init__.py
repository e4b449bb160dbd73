"""Inputs nobody wrote on purpose: mutated mails, answers of servers, rules, templates and order files."""
