"""Post-login Actions: what they ask for comes back as data, and what they do wrong comes back as a verdict."""

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from runtime import actions, answers, node, process

EVENT = {
    "user": {"user_id": "auth0|ada", "email": "ada@larkspur.example"},
    "request": {"ip": "192.0.2.7", "hostname": "localhost", "query": {}, "body": {}},
}


def post_login(body: str) -> str:
    return f"exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};"


def run(body: str, **arguments):
    return actions.run(post_login(body), **{"event": EVENT, **arguments})


def calls(result):
    return [(command["name"], *command["arguments"]) for command in result.commands]


def test_commands_come_back_in_the_order_of_the_calls():
    result = run(
        "api.idToken.setCustomClaim('a', {b: [1]}).accessToken.addScope('read:x').user.setAppMetadata('k', null);"
        "api.authentication.challengeWith({type: 'otp'}, {additionalFactors: [{type: 'phone'}]});"
    )
    assert result.outcome == "completed"
    assert calls(result) == [
        ("idToken.setCustomClaim", "a", {"b": [1]}),
        ("accessToken.addScope", "read:x"),
        ("user.setAppMetadata", "k", None),
        ("authentication.challengeWith", {"type": "otp"}, {"additionalFactors": [{"type": "phone"}]}),
    ]


def test_the_commands_of_a_token_exchange_are_there_for_its_handler_alone():
    code = "exports.{} = async (event, api) => {{ api.authentication.setUserById('auth0|a'); }};"
    handler = "onExecuteCustomTokenExchange"
    assert calls(actions.run(code.format(handler), event=EVENT, handler=handler)) == [
        ("authentication.setUserById", "auth0|a")
    ]
    assert actions.run(code.format("onExecutePostLogin"), event=EVENT).error["name"] == "TypeError"


DOCUMENTED = {
    "access": "deny",
    "accessToken": "setCustomClaim addScope removeScope",
    "authentication": "challengeWith challengeWithAny enrollWith enrollWithAny setPrimaryUser",
    "cache": "get set delete",
    "idToken": "setCustomClaim",
    "multifactor": "enable",
    "prompt": "render",
    "redirect": "encodeToken sendUserTo validateToken",
    "refreshToken": "revoke setExpiresAt setIdleExpiresAt setMetadata deleteMetadata evictMetadata",
    "rules": "wasExecuted",
    "samlResponse": (
        "setAttribute setAudience setRecipient setCreateUpnClaim setPassthroughClaimsWithNoMapping "
        "setMapUnknownClaimsAsIs setMapIdentities setSignatureAlgorithm setDigestAlgorithm setDestination "
        "setLifetimeInSeconds setSignResponse setNameIdentifierFormat setNameIdentifierProbes "
        "setAuthnContextClassRef setSigningCert setIncludeAttributeNameFormat setTypedAttributes "
        "setEncryptionCert setEncryptionPublicKey setCert setKey setRelayState setIssuer setEncryptionAlgorithm"
    ),
    "session": ("revoke setExpiresAt setIdleExpiresAt setCookieMode setMetadata deleteMetadata evictMetadata"),
    "transaction": "setMetadata",
    "user": "setAppMetadata setUserMetadata",
    "validation": "error",
}


def test_the_api_object_has_every_call_that_auth0_documents_and_no_other():
    names = {group: sorted(calls.split()) for group, calls in DOCUMENTED.items()}
    shown = "Object.fromEntries(Object.entries(api).map(([group, calls]) => [group, Object.keys(calls).sort()]))"
    ((_, found),) = calls(run(f"api.access.deny(JSON.stringify({shown}))"))
    assert json.loads(found) == names


def test_a_command_keeps_its_arguments_as_they_were_at_the_call():
    result = run("const claim = {n: 1}; api.idToken.setCustomClaim('c', claim); claim.n = 2;")
    assert calls(result) == [("idToken.setCustomClaim", "c", {"n": 1})]


def test_an_action_reads_its_secrets_and_the_event():
    result = run("api.access.deny(`${event.user.email} ${event.secrets.WORD}`)", secrets={"WORD": "please"})
    assert calls(result) == [("access.deny", "ada@larkspur.example please")]


def test_commands_before_an_error_are_kept():
    result = run("api.user.setUserMetadata('a', 1); throw new TypeError('no')")
    assert (result.outcome, result.error["name"], result.error["message"]) == ("error", "TypeError", "no")
    assert "action.js:2" in result.error["stack"]
    assert len(result.commands) == 1


@pytest.mark.parametrize(
    ("body", "name", "message"),
    [
        ("throw 'just text'", "Error", "just text"),
        ("throw null", "Error", "null"),
        ("throw {get message() { throw 1 }}", "Error", "can't be shown"),
        ("await Promise.reject(new RangeError('far'))", "RangeError", "far"),
        ("setTimeout(() => { throw new Error('later') }, 5); await new Promise(() => {})", "Error", "later"),
        ("api.multifactor.enable('all')", "Error", "Unknown multifactor provider"),
        ("api.redirect.sendUserTo('nowhere')", "Error", "needs a URL"),
        ("api.authentication.recordMethod('https://x.example')", "TypeError", "recordMethod is not a function"),
        ("api.authentication.setPrimaryUser('a'); api.authentication.setPrimaryUser('b')", "Error", "only once"),
        ("api.transaction.setMetadata('k', {})", "Error", "string, a number or a boolean"),
        ("require('left-pad')", "Error", "Cannot find module 'left-pad'"),
        ("require('/etc/passwd')", "Error", "Cannot find module"),
        ("const a = {}; a.a = a; api.idToken.setCustomClaim('a', a)", "TypeError", "circular"),
    ],
)
def test_what_goes_wrong_in_the_code_is_named(body, name, message):
    result = run(body)
    assert result.outcome == "error"
    assert result.error["name"] == name
    assert message in result.error["message"]


def test_code_that_does_not_parse_is_an_error_with_its_line():
    result = actions.run("exports.onExecutePostLogin = async (event, api) => {\n  api.access.deny(;\n};", event=EVENT)
    assert (result.outcome, result.error["name"]) == ("error", "SyntaxError")
    assert "action.js:2" in result.error["stack"]


def test_a_missing_handler_is_named():
    result = actions.run("exports.other = 1", event=EVENT)
    assert "does not export onExecutePostLogin" in result.error["message"]


def test_the_continue_handler_may_record_a_method():
    code = "exports.onContinuePostLogin = async (event, api) => api.authentication.recordMethod('https://x.example')"
    result = actions.run(code, event=EVENT, handler="onContinuePostLogin")
    assert calls(result) == [("authentication.recordMethod", "https://x.example")]


def test_transaction_metadata_is_seen_at_once():
    result = run("api.transaction.setMetadata('step', 1); api.access.deny(String(event.transaction.metadata.step))")
    assert calls(result)[-1] == ("access.deny", "1")


# --- tokens for redirects


def test_a_redirect_token_names_the_user_and_ends_in_time():
    body = """const token = api.redirect.encodeToken({secret: 's3', expiresInSeconds: 60, payload: {shop: 7}});
    api.redirect.sendUserTo('https://more.example/', {query: {session_token: token}});"""
    token = run(body, now=1_000_000).commands[0]["arguments"][1]["query"]["session_token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims == {
        "shop": 7,
        "iat": 1_000_000,
        "exp": 1_000_060,
        "ip": "192.0.2.7",
        "sub": "auth0|ada",
        "iss": "localhost",
    }


def returning(token_body: str, query_state: str = "abc", verify_with: str = "s3"):
    """Sign a token with one Action, then hand it to another that validates it."""
    signed = run(f"api.access.deny(api.redirect.encodeToken({{secret: 's3', {token_body}}}))")
    token = signed.commands[0]["arguments"][0]
    request = {**EVENT["request"], "query": {"state": query_state}, "body": {"session_token": token}}
    event = {**EVENT, "request": request}
    code = f"""exports.onContinuePostLogin = async (event, api) =>
      api.access.deny(api.redirect.validateToken({{secret: '{verify_with}'}}).answer)"""
    return actions.run(code, event=event, handler="onContinuePostLogin")


def test_a_returned_token_is_verified_and_read():
    assert calls(returning("payload: {answer: 'yes', state: 'abc'}")) == [("access.deny", "yes")]


@pytest.mark.parametrize(
    ("token", "arguments", "message"),
    [
        ("payload: {state: 'abc'}", {"query_state": "other"}, "state"),
        ("payload: {}", {}, "state"),
        ("payload: {state: 'abc'}", {"verify_with": "wrong"}, "signature"),
        ("payload: {state: 'abc'}, expiresInSeconds: -5", {}, "expired"),
    ],
)
def test_a_returned_token_that_is_wrong_is_refused(token, arguments, message):
    result = returning(token, **arguments)
    assert result.outcome == "error"
    assert message in result.error["message"]


# --- cache


def test_the_cache_lives_on_between_runs():
    cache = {}
    run("api.cache.set('token', 'abc', {ttl: 60000})", cache=cache)
    assert cache["token"]["value"] == "abc"
    result = run("api.access.deny(api.cache.get('token').value)", cache=cache)
    assert calls(result) == [("access.deny", "abc")]
    run("api.cache.delete('token')", cache=cache)
    assert cache == {}


def test_a_cache_entry_ends_by_the_given_clock():
    cache = {}
    run("api.cache.set('a', '1', {ttl: 1000})", cache=cache, now=5000)
    assert calls(run("api.access.deny(String(api.cache.get('a')))", cache=cache, now=5002)) == [
        ("access.deny", "undefined")
    ]


@pytest.mark.parametrize(
    ("options", "hours"), [("", 24), ("{ttl: 999 * 3600 * 1000}", 24), ("{ttl: 3600000, expires_at: 1800000}", 0.5)]
)
def test_a_cache_entry_lives_for_a_day_at_most(options, hours):
    cache = {}
    run(f"api.cache.set('a', '1', {options or '{}'})", cache=cache, now=0.001)
    assert cache["a"]["expires_at"] == pytest.approx(hours * 3_600_000, abs=5000)


@pytest.mark.parametrize(
    "call",
    ["set('k'.repeat(65), 'v')", "set('k', 'v'.repeat(4001))", "set('k', 1)"],
)
def test_the_cache_refuses_what_auth0_refuses(call):
    cache = {}
    assert calls(run(f"api.access.deny(api.cache.{call}.type)", cache=cache)) == [("access.deny", "error")]
    assert cache == {}


def test_the_cache_holds_twenty_entries():
    cache = {}
    run("for (let i = 0; i < 30; i++) api.cache.set('k' + i, 'v', {ttl: 1000})", cache=cache, now=5000)
    assert len(cache) == 20
    run("api.cache.set('later', 'v')", cache=cache, now=5002)
    assert list(cache) == ["later"]


def test_the_cache_holds_eight_kilobytes():
    cache = {}
    run("for (let i = 0; i < 3; i++) api.cache.set('k' + i, 'v'.repeat(3990))", cache=cache)
    assert list(cache) == ["k0", "k1"]


# --- code that misbehaves: a clear verdict, and the next run works


def works_again():
    return calls(run("api.access.deny('fine')")) == [("access.deny", "fine")]


def test_an_endless_loop_is_stopped():
    started = time.monotonic()
    result = run("for (;;) {}", timeout_seconds=0.5)
    assert result.outcome == "timeout"
    assert time.monotonic() - started < 3
    assert works_again()


def test_a_promise_that_hangs_on_a_timer_is_stopped():
    assert run("setInterval(() => {}, 10); await new Promise(() => {})", timeout_seconds=0.4).outcome == "timeout"


def test_code_that_can_never_finish_is_told_so_at_once():
    started = time.monotonic()
    result = run("await new Promise(() => {})")
    assert result.outcome == "timeout"
    assert "can never finish" in result.error["message"]
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        ("Buffer.alloc(1e9).fill(1)", {"error", "crashed"}),
        ("const a = []; for (;;) a.push(new Array(1e5).fill({}))", {"crashed"}),
        ("let s = 'x'; for (;;) s += s", {"error", "crashed"}),
        ("process.exit(0)", {"crashed"}),
        ("process.abort()", {"crashed"}),
        ("process.kill(process.pid, 'SIGKILL')", {"crashed"}),
        ("require('fs').readdirSync('/dev/fd').forEach(() => 0)", {"error"}),
        ("for (let fd = 3; fd < 999; fd++) try { require('fs').writeSync(fd, 'x'.repeat(100)) } catch {}", {"crashed"}),
    ],
)
def test_code_that_breaks_its_process_crashes_alone(body, outcomes):
    assert run(body, timeout_seconds=60).outcome in outcomes
    assert works_again()


def attempt(expression: str) -> str:
    """What happened to an act that must not succeed: the error's code or message, or the value if it did."""
    report = f"api.access.deny('did: ' + String({expression}))"
    body = f"try {{ {report} }} catch (e) {{ api.access.deny(e.code || e.message) }}"
    return run(body).commands[0]["arguments"][0]


@pytest.mark.parametrize(
    ("expression", "denial"),
    [
        ("require('fs').readFileSync('/etc/passwd')", "ERR_ACCESS_DENIED"),
        (f"require('fs').readFileSync({str(Path(__file__))!r})", "ERR_ACCESS_DENIED"),
        ("require('fs').writeFileSync('/tmp/castellan-was-here', 'x')", "ERR_ACCESS_DENIED"),
        ("require('child_process').execSync('id')", "ERR_ACCESS_DENIED"),
        ("require('child_process').fork('x.js')", "ERR_ACCESS_DENIED"),
        ("new (require('worker_threads').Worker)('1', {eval: true})", "ERR_ACCESS_DENIED"),
        ("process.execve('/bin/sh', ['sh'])", "ERR_ACCESS_DENIED"),
        ("process.kill(process.ppid, 0)", "EPERM"),
        ("process.kill(-1, 0)", "EPERM"),
        ("process.binding('fs')", "ERR_ACCESS_DENIED"),
        ("require('node:sqlite')", "ERR_UNKNOWN_BUILTIN_MODULE"),
        ("process.dlopen({exports: {}}, '/lib/x.so')", "ERR_DLOPEN_DISABLED"),
    ],
)
def test_the_machine_is_closed_to_the_code(expression, denial):
    assert attempt(expression).startswith(denial)


def test_the_code_sees_no_environment(monkeypatch):
    monkeypatch.setenv("CASTELLAN_TEST_SECRET", "hush")
    actions.pool.close()
    assert attempt("JSON.stringify(process.env)") == "did: {}"


def test_the_network_is_closed():
    body = """const answers = [];
    const listen = new Promise((done) => require('net').createServer().on('error', (e) => done(e.code)).listen(0));
    const connect = new Promise((done) => require('net').connect(80, '192.0.2.1').on('error', (e) => done(e.code)));
    const udp = new Promise((done) => {
      try { require('dgram').createSocket('udp4').on('error', (e) => done(e.code)).send('x', 53, '192.0.2.1') }
      catch (e) { done(e.code) }
    });
    const fetched = fetch('https://example.com').then(() => 'open', (e) => e.message);
    api.access.deny(JSON.stringify(await Promise.all([listen, connect, udp, fetched])));"""
    listen, connect, udp, fetched = json.loads(run(body, timeout_seconds=5).commands[0]["arguments"][0])
    assert fetched == "fetch failed"
    assert "open" not in (listen, connect, udp) and None not in (listen, connect, udp)


def test_the_code_runs_without_rights_where_it_can():
    if os.geteuid() == 0 and Path(node.node_binary()).stat().st_mode & 0o005:
        assert attempt("process.getuid()") == "did: 65534"


def test_megabytes_of_log_are_cut():
    result = run("for (let i = 0; i < 20000; i++) console.log('y'.repeat(1000)); process.stdout.write('z'.repeat(1e7))")
    assert result.outcome == "completed"
    assert len(result.console) <= 201
    assert max(map(len, result.console)) == 256
    assert works_again()


def test_megabytes_of_commands_are_refused():
    result = run("api.idToken.setCustomClaim('big', 'x'.repeat(6e6))")
    assert (result.outcome, result.commands) == ("error", [])
    assert "larger than" in result.error["message"]
    assert works_again()


def test_code_of_more_than_100_kb_is_refused_before_it_runs():
    exact = "//" + "x" * (actions.LARGEST_CODE_BYTES - 2)
    assert actions.run(exact, event=EVENT).outcome == "error"
    result = actions.run(exact + "x", event=EVENT)
    assert (result.outcome, result.error["name"]) == ("refused", "Refused")


def test_what_one_action_does_to_the_language_does_not_reach_another():
    run("Object.prototype.admin = true; Array.prototype.includes = () => true; globalThis.leak = event.user.email")
    assert attempt("[({}).admin, [1].includes(2), typeof leak]") == "did: ,false,undefined"


def test_one_action_keeps_its_module_state_as_a_warm_container_does():
    code = "let n = 0; exports.onExecutePostLogin = async (event, api) => api.access.deny(String(++n))"
    answers = {actions.run(code, event=EVENT).commands[0]["arguments"][0] for _ in range(3)}
    assert answers == {"1", "2", "3"}


def test_other_secrets_mean_another_container():
    code = "let first; exports.onExecutePostLogin = async (e, api) => api.access.deny(first ??= e.secrets.S)"
    seen = [actions.run(code, event=EVENT, secrets={"S": value}).commands[0]["arguments"][0] for value in "ab"]
    assert seen == ["a", "b"]


def test_a_forged_answer_is_no_answer():
    forged = json.dumps({"outcome": "completed", "result": [], "console": [], "error": None, "nonce": "guess"})
    child = process.Child()
    descriptor = child.process.args[-2]
    code = post_login(
        f"""const frame = Buffer.from({forged!r}); const size = Buffer.alloc(4); size.writeUInt32BE(frame.length);
        require('fs').writeSync({descriptor}, Buffer.concat([size, frame]));"""
    )
    request = {"kind": "action", "code": code, "handler": "onExecutePostLogin", "runs": [{"event": {}, "cache": {}}]}
    deadline = time.monotonic() + 10
    with pytest.raises(answers.Crashed, match="channel of answers"):
        child.receive(child.send(request, deadline=deadline), deadline=deadline)
    child.kill()


@pytest.mark.parametrize(
    "shape",
    [
        "{}",
        "{...this, result: 5}",
        "{...this, result: [{name: 1}]}",
        "{...this, console: 'x'}",
        "{...this, error: 'x'}",
        "{...this, outcome: 'success'}",
        "{...this, cpu_ms: 'much'}",
        "{...this, nonce: {}}",
        "[1]",
    ],
)
def test_code_that_changes_how_json_is_written_is_found_out(shape):
    body = f"Object.prototype.toJSON = function () {{ return this.nonce ? ({shape}) : this }}"
    result = run(body)
    assert result.outcome == "crashed"
    assert "channel of answers" in result.error["message"]


def test_a_forged_cache_is_not_kept():
    cache = {}
    run("Object.prototype.toJSON = function () { return this.nonce ? {...this, cache: {a: 1}} : this }", cache=cache)
    assert cache == {}


def test_data_nested_too_deeply_is_a_verdict():
    result = run("let deep = []; for (let i = 0; i < 4000; i++) deep = [deep]; api.idToken.setCustomClaim('d', deep)")
    assert result.outcome in ("crashed", "error")
    assert works_again()


def test_half_a_character_becomes_one_that_can_be_written():
    result = run(r"api.access.deny('half \ud83d'); console.log('\udc00 other')")
    assert calls(result) == [("access.deny", "half \ufffd")]
    assert result.console == ["\ufffd other"]


# --- batches


def test_a_batch_gives_one_result_per_event_in_order():
    events = [{**EVENT, "user": {"email": f"u{number}@x.example"}} for number in range(450)]
    results = actions.run_batch(post_login("api.access.deny(event.user.email)"), events=events)
    assert [result.commands[0]["arguments"][0] for result in results] == [event["user"]["email"] for event in events]


def test_one_bad_event_costs_only_itself():
    body = "if (event.n === 1) for (;;) {} if (event.n === 3) process.exit(1); api.access.deny(String(event.n))"
    results = actions.run_batch(post_login(body), events=[{"n": n} for n in range(5)], timeout_seconds=0.4)
    assert [result.outcome for result in results] == ["completed", "timeout", "completed", "crashed", "completed"]


def test_a_batch_ends_when_its_time_is_used_up():
    started = time.monotonic()
    events = [{"n": n} for n in range(50)]
    results = actions.run_batch(post_login("for (;;) {}"), events=events, timeout_seconds=0.3, total_seconds=0.8)
    assert time.monotonic() - started < 5
    assert len(results) == 50
    assert {result.outcome for result in results} == {"timeout", "refused"}


def test_ten_thousand_events_take_less_than_ten_seconds():
    body = "if (event.user.email.endsWith('@larkspur.example')) api.authentication.challengeWithAny([{type: 'otp'}])"
    started = time.monotonic()
    results = actions.run_batch(post_login(body), events=[EVENT] * 10_000)
    assert time.monotonic() - started < 10
    assert all(result.commands for result in results)


# --- where it runs


def test_a_warm_run_is_quick():
    run("api.access.deny('x')")
    started = time.monotonic()
    for _ in range(20):
        run("api.access.deny('x')")
    assert (time.monotonic() - started) / 20 < 0.05


def test_an_event_loop_stays_free_while_actions_run():
    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        slow = post_login("await new Promise((done) => setTimeout(done, 200)); api.access.deny('x')")
        results = await asyncio.gather(*(actions.arun(slow, event={"n": n}) for n in range(4)))
        ticking.cancel()
        return ticks, results

    ticks, results = asyncio.run(main())
    assert [calls(result) for result in results] == [[("access.deny", "x")]] * 4
    assert ticks > 5


def test_it_works_under_uvloop():
    import uvloop

    result = uvloop.run(actions.arun(post_login("api.access.deny('x')"), event=EVENT))
    assert calls(result) == [("access.deny", "x")]


def test_many_threads_can_run_at_once():
    results = []
    threads = [Thread(target=lambda n=n: results.append(run(f"api.access.deny('{n % 3}')"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(calls(result)[0][1] for result in results) == sorted(str(n % 3) for n in range(8))


def test_a_forked_process_starts_its_own_children():
    run("api.access.deny('warm')")
    pid = os.fork()
    if pid == 0:
        ok = calls(run("api.access.deny('warm')")) == [("access.deny", "warm")]
        actions.pool.close()
        os._exit(0 if ok else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert calls(run("api.access.deny('warm')")) == [("access.deny", "warm")]


def test_no_child_outlives_its_parent_and_argv_holds_no_code():
    program = """
import os, pathlib
from runtime import actions
actions.run("exports.onExecutePostLogin = async () => {} // marker", event={}, secrets={"S": "hush-hush"})
children = pathlib.Path("/proc/self/task", str(os.getpid()), "children").read_text().split()
for pid in children:
    print(pid, pathlib.Path("/proc", pid, "cmdline").read_text().replace("\\0", " "))
"""
    root = Path(__file__).parents[2]
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True)
    assert "main.js" in answer.stdout
    assert "marker" not in answer.stdout and "hush" not in answer.stdout
    pids = [int(line.split()[0]) for line in answer.stdout.splitlines()]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_no_child_outlives_a_parent_that_was_killed():
    program = """
import os, sys, threading, time
from runtime import actions
waits = "exports.onExecutePostLogin = async () => { setInterval(() => {}, 1000); await new Promise(() => {}) }"
threading.Thread(target=lambda: actions.run(waits, event={}), daemon=True).start()
actions.run("exports.onExecutePostLogin = async () => {}", event={})
time.sleep(1)
print(os.popen(f"ps -o pid= --ppid {os.getpid()}").read().replace("\\n", " "), flush=True)
time.sleep(60)
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    deadline = time.monotonic() + 10
    while any(is_node(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(pids) >= 2
    assert not any(is_node(pid) for pid in pids)


def is_node(pid: int) -> bool:
    try:
        return b"main.js" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_children_that_nobody_asks_for_end(monkeypatch):
    monkeypatch.setattr("runtime.pool.IDLE_SECONDS", -0.8)
    actions.pool.close()
    run("api.access.deny('once')")
    [(_, child)] = actions.pool._idle or [(None, None)]
    deadline = time.monotonic() + 5
    while actions.pool._idle and time.monotonic() < deadline:
        time.sleep(0.05)
    assert actions.pool._idle == []
    assert child is None or not child.alive


def test_where_the_network_cannot_be_closed_nothing_runs(monkeypatch, tmp_path):
    """A jail whose two ways of closing the network both fail, as on a system that has neither."""
    jail = tmp_path / "jail.py"
    source = process.JAIL.read_text().replace('if sys.platform == "linux":', 'if sys.platform == "elsewhere":')
    jail.write_text(source)
    monkeypatch.setattr(process, "JAIL", jail)
    actions.pool.close()
    result = run("api.access.deny('x')")
    assert (result.outcome, result.commands) == ("refused", [])
    assert "CASTELLAN_ALLOW_OPEN_NETWORK" in result.error["message"]
    monkeypatch.setenv("CASTELLAN_ALLOW_OPEN_NETWORK", "1")
    actions.pool.close()
    assert calls(run("api.access.deny('x')")) == [("access.deny", "x")]
    actions.pool.close()
