"""What the service manager hears, and how little a service of ours may do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from responder.edges.supervisor import Supervisor
from tests.journeys.shop import Shop, until

UNIT = Path(__file__).parents[2] / "deploy" / "responder.service"


class Listener:
    """The service manager's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(0.1)
        self.heard: list[str] = []

    def listen(self) -> list[str]:
        """Every message so far."""
        try:
            while True:
                self.heard.append(self.socket.recv(4096).decode())
        except TimeoutError:
            return self.heard


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    made = Listener(tmp_path / "notify")
    yield made
    made.socket.close()


def test_nobody_listens() -> None:
    Supervisor({}).ready("nothing happens")
    Supervisor({"NOTIFY_SOCKET": "/nonexistent/notify"}).alive()


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [("120000000", "", 120.0), ("500000", "own", 0.5), ("500000", "1", None), ("0", "", None), ("soon", "", None)],
)
def test_how_often_it_wants_to_hear(listener: Listener, usec: str, pid: str, seconds: float | None) -> None:
    environ = {"NOTIFY_SOCKET": str(listener.path), "WATCHDOG_USEC": usec}
    if pid:
        environ["WATCHDOG_PID"] = str(os.getpid()) if pid == "own" else pid
    assert Supervisor(environ).watchdog_s == seconds


def test_each_message(listener: Listener) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": str(listener.path)})
    supervisor.ready("1 account(s)")
    supervisor.alive()
    supervisor.stopping()
    assert listener.listen() == ["READY=1\nSTATUS=1 account(s)", "WATCHDOG=1", "STOPPING=1"]


def test_a_running_daemon_says_so(
    on_dovecot: Callable[..., Shop], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(listener.path))
    monkeypatch.setenv("WATCHDOG_USEC", "600000")
    shop = on_dovecot()
    shop.start_process()
    until(lambda: listener.listen().count("WATCHDOG=1") >= 3, "three signs of life")
    assert listener.heard[0].startswith("READY=1\n")
    shop.stop()
    assert listener.listen()[-1] == "STOPPING=1"


def test_a_start_with_a_wrong_configuration_is_seen_by_the_supervisor_and_by_monitoring(
    quick_shop: Shop, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(listener.path))
    shop = quick_shop
    shop.write_files()
    file = shop.folder / "responder.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("[shop]", "[shop]\ncolour = 1"), encoding="utf-8")
    assert shop.child("run", "--config", str(shop.folder)).wait(120) == 78
    assert [line.partition(":")[0] for line in listener.listen()] == ["STATUS=not started"]
    assert health(shop) == 78
    assert "colour" in (shop.folder / "log.txt").read_text(encoding="utf-8")


def health(shop: Shop) -> int:
    return shop.child("status", "--health", "--config", str(shop.folder)).wait(120)


def test_health_and_a_second_daemon_on_the_same_journal(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.write_files()
    assert health(shop) == 1
    shop.start_process()
    shop.wait_until_watching()
    assert health(shop) == 0
    command = [sys.executable, "-m", "responder", "run", "--config", str(shop.folder)]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 75
    assert "responder.db" in second.stderr
    shop.kill()
    assert health(shop) == 1


def test_the_unit_leaves_little_to_an_attacker() -> None:
    """Exposure at most 1.5 by `systemd-analyze security`, where that is installed; the settings that matter anyway."""
    unit = UNIT.read_text(encoding="utf-8")
    for setting in (
        "Type=notify", "WatchdogSec=120", "Restart=on-failure", "RestartPreventExitStatus=77 78", "DynamicUser=yes",
        "ProtectSystem=strict", "ProtectHome=yes", "NoNewPrivileges=yes", "MemoryDenyWriteExecute=yes", "UMask=0077",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "SystemCallFilter=@system-service", "LoadCredential=",
    ):  # fmt: skip
        assert setting in unit
    tool = shutil.which("systemd-analyze")
    if tool is not None:
        command = [tool, "security", "--offline=yes", "--no-pager", "--threshold=15", str(UNIT)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-200:] + done.stderr
