"""The command line: parse, call, print. Heavy parts are imported by the command that needs them."""

from __future__ import annotations

import os
import sys

import click

from responder import __version__, logs
from responder.cli.checking import check
from responder.cli.common import EX_FINDINGS, EX_INTERRUPTED, EX_USAGE
from responder.cli.explaining import explain
from responder.cli.owing import owe
from responder.cli.replaying import replay
from responder.cli.reporting import report
from responder.cli.running import run
from responder.cli.showing import demo, schema, status


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="responder")
def cli() -> None:
    """Reads a shop's mailbox, puts finished replies into Drafts, and sends what staff approve."""


for command in (run, check, explain, replay, owe, report, status, schema, demo):
    cli.add_command(command)


def main() -> None:
    """The entry point."""
    logs.install_traces()
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(EX_USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(EX_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EX_FINDINGS)
