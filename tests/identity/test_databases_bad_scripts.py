"""Scripts that loop, allocate, exit, fork, read, reach out or call back wrongly: each gets a verdict in plain words."""

import pytest

from identity.databases import generate
from identity.databases.contracts import run as contracts
from identity.databases.contracts.cases import CASES
from tests.identity.contract_bench import form

LIMIT = "The script did not call back. The code did not end in time and was stopped. Auth0 waits 20 seconds."
ELSEWHERE = "elsewhere.example:80 (this host is not among those that the script may reach here)"

# body of get_user -> what the verdict begins with
BAD = {
    "return callback(": "The script threw instead of calling back. SyntaxError: ",
    "for (;;) {}": LIMIT,
    "(async () => { for (;;) await null; })();": LIMIT,
    "const all = []; for (;;) all.push(new Array(1e6).fill(1));": (
        "The script did not call back. The code used more than 256 MB of memory."
    ),
    "const all = []; for (;;) all.push(Buffer.alloc(1e8, 1));": "The script threw instead of calling back. RangeError",
    "process.exit(0);": "The script did not call back. The code ended its process (exit code 0).",
    "process.abort();": "The script did not call back. The code's process was ended by SIGABRT.",
    "require('child_process').fork('x'); return callback(null);": (
        "The script threw instead of calling back. Error: Scripts can't start another process."
    ),
    "new (require('worker_threads').Worker)('1', { eval: true }); return callback(null);": (
        "The script threw instead of calling back. Error: Scripts can't start a thread."
    ),
    "require('fs').readFileSync('/etc/passwd'); return callback(null);": (
        "The script threw instead of calling back. Error: Scripts can't read a file."
    ),
    "require('fs').writeFileSync('/tmp/x', 'x'); return callback(null);": (
        "The script threw instead of calling back. Error: Scripts can't write a file."
    ),
    "require('net').connect(80, 'elsewhere.example').on('error', (error) => callback(error));": (
        f"A profile was expected; the script answered callback with Error: connect EACCES {ELSEWHERE}."
    ),
    "require('net').connect(80, 'elsewhere.example');": (
        f"An error that nothing in the script caught ended it. Error: connect EACCES {ELSEWHERE}. Listen for 'error'"
    ),
    "return callback(null, { user_id: JSON.stringify(process.env) });": "The profile's email is not the user's.",
    "callback(null); callback(null);": "The callback was called 2 times.",
    "callback(null); setTimeout(() => callback(null), 1);": "The callback was called 2 times.",
    "": "The script did not call back. Nothing is left to wait for, so the code can never finish.",
    "setTimeout(() => callback(null), 100000);": LIMIT,
    "callback(null); throw new Error('too late');": "After its callback the script failed: too late.",
    "return callback(null, 'nonsense');": 'A profile was expected; the script answered callback(null, "nonsense").',
    "return callback('nonsense');": "A profile was expected; the script answered callback with Error: nonsense.",
    "const a = {}; a.a = a; return callback(null, a);": (
        "A profile was expected; the script answered callback with TypeError: The value given to the callback can't be "
        "sent as JSON"
    ),
    "import('pg').then((pg) => callback(null, pg), callback);": (
        "A profile was expected; the script answered callback with TypeError: Scripts can't use import(); write "
        "require()."
    ),
    "throw null;": "The script threw instead of calling back. Error: null",
}


@pytest.mark.parametrize("body", BAD)
def test_a_bad_script_gets_a_verdict_in_plain_words(postgresql, monkeypatch, body):
    if BAD[body] == LIMIT:
        monkeypatch.setattr(contracts, "TIMEOUT_SECONDS", 0.5)
    bad = f"function getUser(email, callback) {{ {body} }}"
    [verdict] = run(postgresql, bad, only=("get_user-01",))
    assert verdict.passed is False
    assert verdict.reason.startswith(BAD[body])
    assert verdict.sent == '"ada@contract-test.example"'
    # The next script runs as if nothing had been.
    monkeypatch.undo()
    assert run(postgresql, generate.scripts(form())["get_user"], only=("get_user-01",))[0].passed


def test_a_script_of_a_hundred_kilobytes_runs_and_one_byte_more_does_not(postgresql):
    good = generate.scripts(form())["get_user"]
    largest = good + "//" + "x" * (100_000 - len(good) - 2)
    assert len(largest) == 100_000
    [fits, too_much] = [run(postgresql, code, only=("get_user-01",))[0] for code in (largest, largest + "x")]
    assert fits.passed
    assert (
        too_much.reason == "The script did not call back. The script is larger than 100 kB, which Auth0 does not take."
    )


def test_a_script_that_never_ends_is_not_waited_for_in_every_case(postgresql, monkeypatch):
    monkeypatch.setattr(contracts, "TIMEOUT_SECONDS", 0.3)
    verdicts = run(postgresql, "function getUser(email, callback) { for (;;) {} }", only=("get_user",))
    assert {verdict.passed for verdict in verdicts} == {False}
    assert [verdict.reason for verdict in verdicts[:2]] == [LIMIT] * 2
    assert {verdict.reason for verdict in verdicts[2:]} == {
        "The script did not call back. get_user was stopped 2 times already, and is not run again."
    }
    assert len(verdicts) == len(CASES["get_user"])


def run(database, get_user, *, only):
    return contracts.run({**generate.scripts(form()), "get_user": get_user}, form(), database, only=only)
