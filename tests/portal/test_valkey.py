"""The embedded Valkey: a real server, behind a password, from a path with any characters."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import redis

from portal.supervisor import Supervisor
from portal.valkey import NO_RETRY, Valkey, running


def test_a_client_without_the_password_is_refused():
    with running() as url:
        client = redis.Redis.from_url(url)
        client.set("key", "value")
        assert client.get("key") == b"value"
        port = client.connection_pool.connection_kwargs["port"]
        with pytest.raises(redis.AuthenticationError), redis.Redis(port=port) as stranger:
            stranger.get("key")
        client.close()
    with pytest.raises(redis.ConnectionError), redis.Redis(port=port, retry=NO_RETRY) as late:
        late.ping()


def test_what_was_queued_survives_a_kill(tmp_path):
    folder = tmp_path / 'a "quoted" folder\\with spaces'
    folder.mkdir()
    server = Valkey(folder, persistent=True)
    for expected in (None, b"kept"):
        with Supervisor(signals=False) as programs, redis.Redis.from_url(server.url) as client:
            child = server.child(tmp_path / "valkey.log")
            programs.start(child)
            assert client.get("job") == expected
            client.set("job", "kept")
            client.waitaof(1, 0, 1000)
            os.kill(child.process.pid, signal.SIGKILL)
            child.process.wait()


def test_the_password_is_in_no_command_line_and_no_representation(tmp_path):
    server = Valkey(tmp_path)
    with Supervisor(signals=False) as programs:
        child = server.child(tmp_path / "valkey.log")
        programs.start(child)
        assert server.password.encode() not in Path(f"/proc/{child.process.pid}/cmdline").read_bytes()
    assert server.password not in repr(server) + repr(child)
