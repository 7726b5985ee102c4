"""Custom database scripts: Auth0's callback contract, the closed machine, and connections to the named host alone."""

import asyncio
import http.server
import json
import socket
import socketserver
import ssl
import threading
import time

import pytest
import trustme

from runtime import scripts
from runtime.relay import Fault


def login(body: str, **arguments):
    code = f"async function login(userNameOrEmail, password, callback) {{\n{body}\n}}"
    return scripts.run(code, **{"script": "login", "arguments": ["ada@larkspur.example", "pass"], **arguments})


# --- the contract


def test_a_profile_comes_back_as_data():
    result = login("return callback(null, {user_id: 'db|1', email: userNameOrEmail, when: new Date(0)});")
    assert result.outcome == "success"
    assert result.value == {"user_id": "db|1", "email": "ada@larkspur.example", "when": "1970-01-01T00:00:00.000Z"}
    assert result.callbacks == 1


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("callback()", None),
        ("callback(null)", None),
        ("callback(null, false)", False),
        ("callback(undefined, true)", True),
        ("callback(null, {last_password_reset: 5})", {"last_password_reset": 5}),
    ],
)
def test_an_empty_first_argument_is_success(call, expected):
    assert (login(call).outcome, login(call).value) == ("success", expected)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            "callback(new WrongUsernameOrPasswordError(userNameOrEmail, 'no'))",
            {"name": "WrongUsernameOrPasswordError", "identifier": "ada@larkspur.example", "message": "no"},
        ),
        ("callback(new WrongUsernameOrPasswordError(null))", {"identifier": None, "code": "invalid_user_password"}),
        ("callback(new ValidationError('user_exists', 'taken'))", {"name": "ValidationError", "code": "user_exists"}),
        ("callback(new UnauthorizedError('go away'))", {"name": "UnauthorizedError", "message": "go away"}),
        (
            "callback(Object.assign(new Error('down'), {code: 'ECONNREFUSED'}))",
            {"name": "Error", "code": "ECONNREFUSED"},
        ),
        ("callback('just text')", {"name": "Error", "message": "just text"}),
        ("throw new RangeError('thrown')", {"name": "RangeError", "message": "thrown"}),
        ("setTimeout(() => { throw new Error('nobody caught this') }, 1)", {"message": "nobody caught this"}),
        ("const p = {}; p.p = p; callback(null, p)", {"name": "TypeError"}),
        ("callback(null, 10n)", {"name": "TypeError"}),
    ],
)
def test_errors_keep_what_auth0_looks_at(call, expected):
    result = login(call)
    assert result.outcome == "error"
    assert {key: result.error[key] for key in expected} == expected


@pytest.mark.parametrize("body", ["", "return 1;", "await new Promise(() => {});"])
def test_a_script_that_can_never_call_back_is_told_so_at_once(body):
    started = time.monotonic()
    result = login(body)
    assert (result.outcome, result.callbacks) == ("timeout", 0)
    assert time.monotonic() - started < 5


def test_a_script_that_calls_back_too_late_is_stopped():
    assert login("setTimeout(callback, 60000)", timeout_seconds=0.4).outcome == "timeout"


def test_only_the_first_callback_counts_and_all_are_counted():
    result = login("callback(null, {n: 1}); callback(new Error('second'));")
    assert (result.outcome, result.value, result.callbacks) == ("success", {"n": 1}, 2)


def test_a_late_second_callback_is_seen_when_one_waits_for_it():
    body = "callback(null, 1); setTimeout(() => callback(null, 2), 20);"
    assert login(body, linger_seconds=0.2).callbacks == 2


def test_an_error_after_the_callback_is_reported_beside_the_answer():
    result = login("callback(null, 1); throw new Error('after');")
    assert (result.outcome, result.value, result.late_error["message"]) == ("success", 1, "after")


@pytest.mark.parametrize(
    "code",
    [
        "function login(a, b, callback) { callback(null, 7) }",
        "function (a, b, callback) { callback(null, 7) }",
        "// words\n(a, b, callback) => callback(null, 7);",
        "const login = (a, b, callback) => callback(null, 7)",
        "function helper() { return 7 }\nasync function login(a, b, callback) { callback(null, helper()) } // end",
        "function anyName(a, b, callback) { callback(null, 7) }",
        "/* x */ " * 5000 + "function (a, b, callback) { callback(null, 7) }",
    ],
)
def test_the_function_is_found_however_it_is_written(code):
    assert scripts.run(code, script="login", arguments=["a", "b"]).value == 7


@pytest.mark.parametrize("code", ["", "'use strict';", "const login = 5;"])
def test_a_script_without_a_function_is_an_error(code):
    result = scripts.run(code, script="login", arguments=["a", "b"])
    assert (result.outcome, result.error["name"]) == ("error", "SyntaxError")
    assert "no function" in result.error["message"]


def test_a_syntax_error_names_its_line():
    result = scripts.run("function login(a, b, callback) {\n  callback(;\n}", script="login", arguments=["a", "b"])
    assert result.error["name"] == "SyntaxError"
    assert "script.js:2" in result.error["stack"]


def test_the_context_stands_before_the_callback():
    code = "function login(a, b, context, callback) { callback(null, context.organization.id) }"
    context = {"organization": {"id": "org_1"}}
    assert scripts.run(code, script="login", arguments=["a", "b"], context=context).value == "org_1"


def test_configuration_is_there_and_cannot_be_changed():
    body = "configuration.A = 'changed'; delete configuration.A; callback(null, configuration.A);"
    assert login(body, configuration={"A": "kept"}).value == "kept"


def test_global_lives_on_in_a_warm_container_and_is_not_shared():
    body = "global.n = (global.n || 0) + 1; callback(null, global.n);"
    assert [login(body).value for _ in range(3)] == [1, 2, 3]
    assert login(body, configuration={"OTHER": "x"}).value == 1


def test_pinned_and_native_modules_are_found():
    body = """const bcrypt = require('bcrypt@5.1.0'); const uuid = require('crypto').randomUUID();
    callback(null, await bcrypt.compare('x', await bcrypt.hash('x', 4)) && uuid.length === 36);"""
    assert login(body).value is True


def test_argon2_is_found_though_it_is_a_native_module():
    body = """const argon2 = require('argon2'); const hash = await argon2.hash('secret', {type: argon2.argon2id});
    callback(null, [hash.slice(0, 10), await argon2.verify(hash, 'secret'), await argon2.verify(hash, 'other')]);"""
    assert login(body).value == ["$argon2id$", True, False]


def test_an_argon2_hash_made_elsewhere_is_verified():
    from argon2 import PasswordHasher

    stored = PasswordHasher(time_cost=2, memory_cost=8192).hash("correct horse")
    body = "callback(null, await require('argon2').verify(configuration.HASH, 'correct horse'));"
    assert login(body, configuration={"HASH": stored}).value is True


def test_an_unknown_script_is_the_callers_mistake():
    with pytest.raises(ValueError, match="Unknown script 'sign_in'"):
        scripts.run("", script="sign_in", arguments=[])


# --- misbehaviour


@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        ("for (;;) {}", {"timeout"}),
        ("Buffer.alloc(1e9).fill(1)", {"error", "crashed"}),
        ("const a = []; for (;;) a.push(new Array(1e5).fill({}))", {"crashed"}),
        ("process.exit(0)", {"crashed"}),
        ("require('child_process').spawn('id')", {"error"}),
        ("require('fs').readFileSync('/etc/passwd')", {"error"}),
        ("process.kill(process.ppid, 'SIGKILL')", {"error"}),
        ("callback(null, 'x'.repeat(6e6))", {"error"}),
    ],
)
def test_a_script_that_misbehaves_gets_a_verdict_and_the_next_one_works(body, outcomes):
    assert login(body, timeout_seconds=1 if outcomes == {"timeout"} else 60).outcome in outcomes
    assert login("callback(null, 1)").value == 1


@pytest.mark.parametrize(
    "shape", ["{...this, result: 1}", "{...this, result: {answer: 5}}", "{...this, result: {callbacks: 'x'}}", "{}"]
)
def test_a_script_that_changes_how_json_is_written_is_found_out(shape):
    result = login(f"Object.prototype.toJSON = function () {{ return this.nonce ? ({shape}) : this }}; callback();")
    assert result.outcome == "crashed"


def test_a_script_of_more_than_100_kb_is_refused():
    code = "function login(a, b, callback) { callback(null, 1) }".ljust(scripts.LARGEST_CODE_BYTES)
    assert scripts.run(code, script="login", arguments=["a", "b"]).value == 1
    assert scripts.run(code + " ", script="login", arguments=["a", "b"]).outcome == "refused"


def test_what_one_script_pollutes_another_does_not_meet():
    login("Object.prototype.hacked = 1; callback()")
    assert login("callback(null, typeof ({}).hacked)").value == "undefined"


# --- connections


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1024):
            self.request.sendall(data.upper())


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"path": self.path}).encode())

    def log_message(self, *arguments):
        pass


def serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def echo():
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    yield from serving(server)


@pytest.fixture(scope="module")
def web():
    yield from serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello))


@pytest.fixture(scope="module")
def secure_web():
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.test").configure_cert(context)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.authority = authority.cert_pem.bytes().decode()
    yield from serving(server)


def address(server) -> str:
    return f"127.0.0.1:{server.server_address[1]}"


SAY = """const socket = require('net').connect({host: 'db.test', port: 7});
socket.on('error', (error) => callback(error));
socket.on('close', () => callback(null, 'closed'));
socket.on('data', (data) => { callback(null, data.toString()); if (password !== 'leak') socket.end(); });
socket.write('hello ' + userNameOrEmail);"""


def test_a_script_talks_to_the_named_host(echo):
    result = login(SAY, allow_hosts={"db.test:7": address(echo)}, linger_seconds=0.05)
    assert result.value == "HELLO ADA@LARKSPUR.EXAMPLE"
    assert result.open_connections == 0


def test_a_connection_that_is_left_open_is_counted(echo):
    arguments = ["ada", "leak"]
    assert login(SAY, allow_hosts={"db.test:7": address(echo)}, arguments=arguments).open_connections == 1


@pytest.mark.parametrize("hosts", [(), ["db.test:8"], ["other.test:7"]])
def test_a_script_reaches_no_other_host(hosts):
    assert login(SAY, allow_hosts=hosts).error["code"] == "EACCES"


def test_local_sockets_are_closed():
    body = "require('net').connect('/var/run/docker.sock').on('error', callback)"
    assert login(body).error["code"] == "EACCES"


@pytest.mark.parametrize(
    "escape",
    [
        "new (socket._handle.constructor)(1).bind('/tmp/castellan-was-here.sock')",
        "require('dgram').createSocket('udp4').bind()",
        "require('net').createServer().listen(0)",
    ],
)
def test_the_kernel_refuses_sockets_that_go_around_the_relay(echo, escape):
    body = f"""const socket = require('net').connect(7, 'db.test', () => {{
      let answer; try {{ answer = {escape} }} catch (error) {{ return callback(error); }}
      if (typeof answer === 'number') return callback(null, answer);
      answer.on('error', callback); answer.on('listening', () => callback(null, 'open'));
    }});"""
    result = login(body, allow_hosts={"db.test:7": address(echo)})
    assert result.outcome == "error" or result.value < 0


def test_fetch_and_http_reach_an_allowed_api(web):
    body = """const answer = await (await fetch('http://api.test/users')).json();
    require('http').get('http://api.test:80/more', (r) => r.resume().on('end', () => callback(null, answer.path)));"""
    assert login(body, allow_hosts={"api.test:80": address(web)}).value == "/users"


@pytest.mark.parametrize(("trusted", "code"), [(True, None), (False, "UNABLE_TO_VERIFY_LEAF_SIGNATURE")])
def test_tls_is_verified_end_to_end(secure_web, trusted, code):
    body = """require('https').get('https://api.test/', {ca: configuration.CA, agent: false}, (response) => {
      const {authorized} = response.socket; response.resume().on('end', () => callback(null, authorized));
    }).on('error', callback);"""
    configuration = {"CA": secure_web.authority if trusted else trustme.CA().cert_pem.bytes().decode()}
    result = login(body, allow_hosts={"api.test:443": address(secure_web)}, configuration=configuration)
    assert (result.value, (result.error or {}).get("code")) == (True if trusted else None, code)


def test_an_unreachable_database_is_refused_as_by_the_network():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{unused.getsockname()[1]}"
    assert login(SAY, allow_hosts={"db.test:7": where}).error["code"] == "ECONNREFUSED"


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault("down"), "ECONNREFUSED"),
        (Fault("silent"), "timeout"),
        (Fault("dropped", marker="ada@larkspur"), "closed"),
        (Fault("dropped", marker="somebody else"), "HELLO ADA@LARKSPUR.EXAMPLE"),
        (Fault("slow", seconds=0.3), "HELLO ADA@LARKSPUR.EXAMPLE"),
    ],
)
def test_a_database_in_trouble_can_be_played(echo, fault, outcome):
    started = time.monotonic()
    result = login(SAY, allow_hosts={"db.test:7": address(echo)}, fault=fault, timeout_seconds=0.9)
    assert outcome in ((result.error or {}).get("code"), result.outcome, result.value)
    assert fault.kind != "slow" or time.monotonic() - started > 0.3


def test_a_driver_can_be_doubled():
    double = "exports.query = async (text) => [{text}];"
    body = "callback(null, await require('mssql@9.1.1').query('SELECT 1'))"
    assert login(body, doubles={"mssql": double}).value == [{"text": "SELECT 1"}]


def test_an_event_loop_can_run_scripts():
    code = "function login(a, b, callback) { setTimeout(() => callback(null, a), 50) }"

    async def main():
        return await asyncio.gather(
            *(scripts.arun(code, script="login", arguments=[str(n), "b"]) for n in range(3)),
        )

    assert sorted(result.value for result in asyncio.run(main())) == ["0", "1", "2"]


def test_a_warm_script_is_quick():
    login("callback(null, 1)")
    started = time.monotonic()
    for _ in range(20):
        login("callback(null, 1)")
    assert (time.monotonic() - started) / 20 < 0.05
