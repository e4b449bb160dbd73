"""A private Dovecot on loopback: IMAP (plain, STARTTLS, TLS) and LMTP, in a temporary directory of its own.

Runs as root or as an ordinary user, and as root also as another user (`as_user`). Nothing outside its directory is
read or written but the program itself.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from imapclient import IMAPClient
from imapclient.imap_utf7 import encode as encode_utf7

from responder.demo.servers import Stored
from responder.model import Server, Tls

PASSWORD = 'se cret\\"pass'  # every character LOGIN must quote
FOLDERS: Mapping[str, str] = {"Drafts": "\\Drafts", "Sent": "\\Sent", "Trash": "\\Trash"}
CAPABILITIES = (
    *("IMAP4rev1", "SASL-IR", "ID", "ENABLE", "IDLE", "SORT", "MULTIAPPEND", "UNSELECT", "CHILDREN", "NAMESPACE"),
    *("UIDPLUS", "LIST-EXTENDED", "CONDSTORE", "QRESYNC", "ESEARCH", "WITHIN", "LIST-STATUS", "BINARY", "MOVE"),
    *("LITERAL+", "NOTIFY", "SPECIAL-USE"),
)
_START_S = 20.0


def missing() -> str | None:
    """Why Dovecot cannot be started here, or None."""
    if binary() is None:
        return "no dovecot on this machine: run scripts/dovecot-install"
    if not Path("/usr/lib/dovecot/lmtp").exists():
        return "dovecot has no LMTP (dovecot-lmtpd): run scripts/dovecot-install"
    return None


def binary() -> str | None:
    """Path of the program."""
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server certificate for localhost and the authority that signed it, as PEM files."""

    chain: Path
    key: Path
    ca: Path


class Dovecot:
    """One running server. `users` are logins, all with PASSWORD; mail to a login name arrives by LMTP.

    `folders` maps mailbox names to a SPECIAL-USE attribute or ""; they are there from the start. `without` leaves
    capabilities out of the announcement (the server still obeys the commands). `separator` and `prefix` shape the
    names; `extra` is added to the configuration as it is.
    """

    def __init__(
        self,
        *,
        users: Iterable[str] = ("shop",),
        folders: Mapping[str, str] = FOLDERS,
        without: Collection[str] = (),
        separator: str = "/",
        prefix: str = "",
        certificate: Certificate | None = None,
        as_user: str | None = None,
        extra: str = "",
    ) -> None:
        self.users = tuple(users)
        self.folders = dict(folders)
        self.without = frozenset(name.upper() for name in without)
        self.certificate = certificate
        self.as_user = as_user
        self.imap_port, self.imaps_port, self.lmtp_port = _free_ports(3)
        self._separator, self._prefix, self._extra = separator, prefix, extra
        self._process: subprocess.Popen[bytes] | None = None
        # Not below pytest's directory: that one is closed to other users, and socket paths have 108 bytes.
        self.base = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # interrupted as well: no server and no folder may stay behind
            self.remove()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.remove()

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, or start it again with the same mail and ports."""
        program = binary()
        assert program is not None, missing()
        owner = self._owner()
        shutil.rmtree(self.base / "run", ignore_errors=True)  # sockets of one that was killed
        (self.base / "mail").mkdir(exist_ok=True)
        (self.base / "dovecot.conf").write_text(self._configuration(owner), encoding="utf-8")
        (self.base / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in self.users))
        if self.certificate is not None:
            shutil.copy(self.certificate.chain, self.base / "chain.pem")
            shutil.copy(self.certificate.key, self.base / "key.pem")
        for path in (self.base, *self.base.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
            if os.getuid() == 0:
                owned = self.as_user or ("dovecot" if path.name == "mail" else "root")
                shutil.chown(path, owned)
        command = [program, "-F", "-c", str(self.base / "dovecot.conf")]
        if self.as_user is not None:
            user = pwd.getpwnam(self.as_user)
            ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            command = ["setpriv", *ids, *command]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._wait_until_up()

    def stop(self, *, hard: bool = False) -> None:
        """Stop it; with `hard`, all its processes at once and without goodbye."""
        process, self._process = self._process, None
        if process is None:
            return
        if hard:
            process.send_signal(signal.SIGSTOP)  # so that it starts no other while the living ones are counted
            pids = _of_session(process.pid)
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.kill()
            process.wait(timeout=_START_S)
            _wait_until_gone(pids)
        else:
            process.terminate()
            process.wait(timeout=_START_S)
        (self.base / "run" / "master.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop it and delete all its files."""
        self.stop(hard=True)  # the soft way waits a second for nothing
        if self.base.exists():
            shutil.rmtree(self.base)

    def log(self) -> str:
        """What it wrote to its log."""
        path = self.base / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # --- use --------------------------------------------------------------------------------------------------------

    def imap(self, username: str = "shop", *, tls: Tls = "none") -> Server:
        """Where and how this user reads mail."""
        port = self.imaps_port if tls == "implicit" else self.imap_port
        ca_file = str(self.certificate.ca) if self.certificate and tls != "none" else None
        return Server("localhost" if ca_file else "127.0.0.1", port, tls, username, ca_file=ca_file)

    @property
    def password(self) -> str:
        """The password of every user."""
        return PASSWORD

    def deliver(self, user: str, raw: bytes, *, sender: str = "buyer@example.com") -> None:
        """Deliver a mail into the user's INBOX by LMTP; it is there when this returns."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as lmtp:
            lmtp.sendmail(sender, [user], raw)

    def deliver_all(self, user: str, raws: Iterable[bytes], *, sender: str = "buyer@example.com") -> None:
        """Deliver many mails over one LMTP connection."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as lmtp:
            for raw in raws:
                lmtp.sendmail(sender, [user], raw)

    def client(self, user: str = "shop") -> IMAPClient:
        """A bare IMAP client of that user, as staff's own would be; use it in a `with`."""
        client = IMAPClient("127.0.0.1", self.imap_port, ssl=False, timeout=_START_S)
        client.login(user, PASSWORD)
        return client

    def boxes(self, user: str = "shop") -> dict[str, tuple[Stored, ...]]:
        """What every mailbox of the user holds, by uid."""
        found: dict[str, tuple[Stored, ...]] = {}
        with self.client(user) as client:
            client.normalise_times = False
            for flags, _, name in client.list_folders():
                if b"\\Noselect" in flags or b"\\NonExistent" in flags:
                    continue
                client.select_folder(name, readonly=True)
                answer: dict[int, dict[bytes, Any]] = client.fetch(
                    client.search("ALL"), ["FLAGS", "INTERNALDATE", "BODY.PEEK[]"]
                )
                there = {
                    uid: entry for uid, entry in answer.items() if entry.get(b"BODY[]") is not None
                }  # not just removed
                found[name] = tuple(_stored(uid, entry) for uid, entry in sorted(there.items()))
        return found

    def renew_uidvalidity(self, user: str, mailbox: str) -> None:
        """Void all uids of a mailbox, as a restored backup does."""
        folder = self.base / "mail" / user
        if mailbox.upper() != "INBOX":
            folder = folder / encode_utf7(mailbox).decode("ascii")  # Maildir keeps names as they are on the wire
        for name in ("dovecot-uidlist", "dovecot.index", "dovecot.index.log", "dovecot.index.cache"):
            (folder / name).unlink(missing_ok=True)
        (folder / "dovecot-uidlist").write_text(f"3 V{int(time.time()) + 1000} N1\n")
        shutil.chown(folder / "dovecot-uidlist", self._mail_owner() if os.getuid() == 0 else os.getuid())

    # --- inside -----------------------------------------------------------------------------------------------------

    def _owner(self) -> str:
        """The user that everything runs as, or "" if Dovecot divides its work among its own users (as root)."""
        if self.as_user is not None:
            return self.as_user
        return "" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name

    def _mail_owner(self) -> str:
        return self._owner() or "dovecot"

    def _configuration(self, owner: str) -> str:
        base = self.base
        users = ""
        if owner:
            group = _group_name(pwd.getpwnam(owner).pw_gid)
            users = f"default_internal_user = {owner}\ndefault_login_user = {owner}\ndefault_internal_group = {group}\n"
        capability = ""
        if self.without:
            left = " ".join(name for name in CAPABILITIES if name.upper() not in self.without)
            capability = f"protocol imap {{\n  imap_capability = {left}\n}}\n"
        told = "SPECIAL-USE" not in self.without
        folders = "".join(
            f'  mailbox "{name}" {{\n    auto = subscribe\n'
            + (f"    special_use = {use}\n" if use and told else "")
            + "  }\n"
            for name, use in self.folders.items()
        )
        tls = "ssl = no\n"
        if self.certificate is not None:
            tls = f"ssl = yes\nssl_cert = <{base}/chain.pem\nssl_key = <{base}/key.pem\n"
        return f"""\
{users}base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
listen = 127.0.0.1
protocols = imap lmtp
first_valid_uid = 1
mail_uid = {self._mail_owner()}
mail_gid = {_group_name(pwd.getpwnam(self._mail_owner()).pw_gid)}
mail_location = maildir:{base}/mail/%u:LAYOUT=fs
mail_max_userip_connections = 200
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
{tls}passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {base}/users
}}
userdb {{
  driver = static
  args = home={base}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = {self._separator}
  prefix = {self._prefix}
{folders}}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = {self.imaps_port if self.certificate else 0}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    port = {self.lmtp_port}
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@example.jp
}}
{capability}{self._extra}
"""

    def _wait_until_up(self) -> None:
        until = time.monotonic() + _START_S
        for port in (self.imap_port, self.lmtp_port):
            while True:
                if self._process is not None and self._process.poll() is not None:
                    raise RuntimeError(f"dovecot ended at once:\n{self.log()}")
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
                        if sock.recv(1):
                            break
                except OSError:
                    pass
                if time.monotonic() > until:
                    raise RuntimeError(f"dovecot does not answer on port {port}:\n{self.log()}")
                time.sleep(0.02)


def _stored(uid: int, entry: Mapping[bytes, Any]) -> Stored:
    when = entry[b"INTERNALDATE"]
    assert isinstance(when, datetime)
    flags = frozenset(flag.decode() for flag in entry[b"FLAGS"] if flag != b"\\Recent")
    return Stored(uid=uid, raw=entry[b"BODY[]"], flags=flags, internaldate=when)


def _group_name(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name


def _free_ports(count: int) -> list[int]:
    socks = [socket.socket() for _ in range(count)]
    try:
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [int(sock.getsockname()[1]) for sock in socks]
    finally:
        for sock in socks:
            sock.close()


def _wait_until_gone(pids: Iterable[int]) -> None:
    """A killed process may write on until the kernel has come round to it."""
    until = time.monotonic() + _START_S
    for pid in pids:
        while _lives(pid):
            if time.monotonic() > until:
                raise RuntimeError(f"process {pid} of dovecot does not end")
            time.sleep(0.005)


def _lives(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (OSError, IndexError):
        return False


def _of_session(leader: int) -> list[int]:
    """Everything it has started, also what lost its parent."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != leader:
            with contextlib.suppress(OSError, IndexError, ValueError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == leader:
                    found.append(int(entry.name))
    return found
