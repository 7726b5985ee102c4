"""The linter on scripts as people have them: correct ones are left in peace, and the one fault put into them is found.

The scripts are in scripts_as_found/NAME.SCRIPT.js: every style of the documentation's templates, old and new.
"""

# ruff: noqa: E501 (a table reads best one fault to a line)

from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.databases import lint
from identity.databases.generate import SCRIPTS
from identity.databases.lint import Finding

FOLDER = Path(__file__).parent / "scripts_as_found"
FOUND = {file.stem: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.js"))}

# (script, the rule that finds it, text, instead)
FAULTS = [
    ("pg_callbacks.login", "CDB27", "'SELECT id, nickname, email, password FROM users WHERE email = $1'", "'SELECT id, nickname, email, password FROM users WHERE email = ' + email"),
    ("pg_callbacks.login", "CDB13", "if (result.rows.length === 0) return callback(new WrongUsernameOrPasswordError(email));", "if (result.rows.length === 0) return;"),
    ("pg_callbacks.login", "CDB32", "email_verified: true", "email_verified: true, pw: user.password"),
    ("pg_callbacks.login", "CDB26", "bcrypt.compare(password, user.password, function (err, isValid) {\n        if (err) return callback(new Error('Hash'));\n        if (!isValid) return callback(new WrongUsernameOrPasswordError(email));", "process.nextTick(function () {\n        if (password != user.password) return callback(new WrongUsernameOrPasswordError(email));"),
    ("pg_callbacks.login", "CDB46", "if (err) return callback(new Error('Hash'));", "if (err) return callback(err);"),
    ("mysql_callbacks.login", "CDB14", "callback(new Error('Database error')); return; }", "callback(new Error('Database error')); }"),
    ("mysql_callbacks.login", "CDB19", "configuration.DB_PASSWORD", "'Winter2021'"),
    ("mysql_callbacks.login", "CDB28", "    connection.end();\n", ""),
    ("mysql_callbacks.login", "CDB17", "'mydb',\n    connectTimeout: 5000", "'mydb'"),
    ("mysql_callbacks.login", "CDB27", "WHERE email = ?'", "WHERE email = \"' + email + '\"'"),
    ("mysql_callbacks.login", "CDB25", "const user = results[0];", "const user = results[0]; console.log('found', user);"),
    ("tedious_callbacks.login", "CDB28", "      connection.close();\n", ""),
    ("tedious_callbacks.login", "CDB18", "encrypt: true", "encrypt: false"),
    ("tedious_callbacks.login", "CDB27", "Email = @Email'", "Email = ' + \"'\" + email + \"'\""),
    ("membership_provider.login", "CDB26", "!crypto.timingSafeEqual(hashPassword(password, salt), expected)", "hashPassword(password, salt).toString('base64') !== user.password.password"),
    ("tedious_rows.get_user", "CDB13", "      callback(null, user);\n", ""),
    ("tedious_rows.get_user", "CDB27", "Email = @Email'", "Email = \\'' + email + '\\''"),
    ("mongodb_callbacks.login", "CDB32", "return callback(null, {\n            user_id: 'shop|' + user._id.toString(),\n            nickname: user.nickname,\n            email: user.email,\n            email_verified: user.email_verified\n          });", "return callback(null, user);"),
    ("mongodb_callbacks.login", "CDB27", "{ email: email }", "{ $where: 'this.email == \"' + email + '\"' }"),
    ("mongodb_callbacks.login", "CDB17", ", { serverSelectionTimeoutMS: 5000 }", ""),
    ("mongodb_callbacks.login", "CDB46", "err ? new Error('Hash') : new WrongUsernameOrPasswordError(email)", "err || new WrongUsernameOrPasswordError(email)"),
    ("mongodb_callbacks.create", "CDB26", "        user.password = hash;\n", ""),
    ("mongodb_callbacks.create", "CDB36", "new ValidationError('user_exists', 'the user already exists')", "new Error('the user already exists')"),
    ("mongodb_callbacks.create", "CDB26", "user.password, 10,", "user.password, 4,"),
    ("request.login", "CDB33", "callback(new WrongUsernameOrPasswordError(email))", "callback()"),
    ("request.login", "CDB18", "configuration.API_URL + '/account/login'", "'http://api.example.com/login'"),
    ("request.login", "CDB17", "    timeout: 8000,\n", ""),
    ("axios.get_user", "CDB29", "    profile.user_id = `shop|${user.id}`;\n", ""),
    ("axios.get_user", "CDB35", "    return callback(new Error('The API answered with ' + err.code));", "    return callback(null);"),
    ("axios.get_user", "CDB17", "    }, { timeout: 5000 });", "    });"),
    ("axios.get_user", "CDB46", "'The API answered with ' + err.code", "'The API answered with ' + err.message"),
    ("axios.get_user", "CDB23", "    return callback(null, profile);", "    global.seen = global.seen || {};\n    global.seen[email] = profile;\n    return callback(null, profile);"),
    ("axios.get_user", "CDB16", "    const token = await getToken();", "    const token = await getToken();\n  } finally {}\n  try {"),
    ("fetch_switch.change_password", "CDB37", "callback(null, false);", "callback(null);"),
    ("fetch_switch.change_password", "CDB14", "callback(null, true);\n        break;", "callback(null, true);"),
    ("pg_two_closes.verify", "CDB28", "    await client.end().catch(() => {});\n", ""),
    ("pg_two_closes.verify", "CDB38", "callback(null, true)", "callback(null)"),
    ("mssql_connect.create", "CDB28", " finally {\n    await sql.close();\n  }", ""),
    ("mssql_connect.create", "CDB26", ".input('hash', sql.NVarChar, hash)", ".input('hash', sql.NVarChar, user.password)"),
    ("mssql_connect.create", "CDB36", "'user_exists'", "'userExists', 'exists'"),
    ("https_events.login", "CDB17", "  req.setTimeout(8000, () => req.destroy(new Error('time-out')));\n", ""),
    ("soap.login", "CDB18", "configuration.SOAP_URL, envelope", "'http://soap.shop.example/login', envelope"),
    ("mysql2_constants.get_user", "CDB27", "WHERE email = ?`", "WHERE email = '${email}'`"),
    ("mysql2_constants.get_user", "CDB35", "    if (err) return callback(new Error('The database is away.'));\n    if (!rows.length) return callback(null);", "    if (err || !rows.length) return callback(null);"),
    ("pgcrypto.login", "CDB26", "password = crypt($2, password)", "password = $2"),
    ("renamed_callback.delete", "CDB13", "return cb(null);", "return;"),
    ("waterfall.create", "CDB28", "    pool.end();\n", ""),
    ("gravatar.create", "CDB26", "await bcrypt.hash(user.password, 10)", "crypto.createHash('sha256').update(user.password).digest('hex')"),
    ("gravatar.create", "CDB26", "[user.email, hash, picture]", "[user.email, user.password, picture]"),
    ("settings_by_name.verify", "CDB25", "  try {", "  console.log(configuration.DATABASE_URL);\n  try {"),
    ("promise_chain.login", "CDB16", "\n    .catch(() => callback(new Error('The API is away.')))", ""),
    ("mssql_procedure.login", "CDB26", ".execute('dbo.CheckLogin')", ".query('SELECT Id, Email, Verified FROM Users WHERE Email = @email AND Password = @password')"),
    ("pbkdf2.login", "CDB26", "if (!crypto.timingSafeEqual(derived, Buffer.from(user.hash, 'hex'))) return", "if (derived.toString('hex') !== user.hash) return"),
    ("mysql_escape.get_user", "CDB27", "mysql.escape(email)", "\"'\" + email + \"'\""),
    ("https_destroy.login", "CDB39", "    res.resume();", "    db.query(`DELETE FROM users WHERE email = $1`, [email], () => {});\n    res.resume();"),
    ("mysql2_ternaries.change_password", "CDB26", "bcrypt.genSalt(12)", "bcrypt.genSalt(6)"),
    ("mysql2_ternaries.change_password", "CDB26", "[hashed, email", "[newPassword, email"),
    ("mysql_es5.get_user", "CDB27", "sql += ' WHERE email = ?';", "sql += \" WHERE email = '\" + email + \"'\";"),
    ("mysql_es5.get_user", "CDB27", "sql: sql,", "sql: sql + ' AND e = ' + email,"),
    ("mongodb_global.get_user", "CDB27", "{ email: { $eq: String(email).toLowerCase() } }", "JSON.parse(email)"),
    ("fetch_token.login", "CDB17", "      body: JSON.stringify({ userNameOrEmail, password }),\n      signal: AbortSignal.timeout(10000)\n", "      body: JSON.stringify({ userNameOrEmail, password })\n"),
    ("fetch_token.login", "CDB22", "    const cached = global.apiToken;\n    if (cached && cached.expiresAt > Date.now()) return cached.value;\n", ""),
    ("fetch_token.login", "CDB25", "const json = await res.json();", "const json = await res.json(); console.log('token', json.access_token);"),
    ("tedious_promise.create", "CDB36", "if (err.number === 2627) return callback(new ValidationError('user_exists', 'This e-mail is taken.'));\n    return callback(new Error('The account could not be made.'));", "return callback(new Error('The account could not be made.'));"),
    ("tedious_promise.create", "CDB26", "Hash: hash.toString('base64')", "Hash: user.password"),
    ("pg_template.get_user", "CDB32", "return callback(null, user);", "return callback(null, row);"),
]  # fmt: skip


def script_of(name: str) -> str:
    return name.rsplit(".", 1)[1]


def judged(entries: list[tuple[str, str]]) -> Iterator[list[Finding]]:
    """One run of Node for all; with import mode, so that each rule about one script has its say."""
    for one in lint.eslint(entries, import_mode=True, context=False):
        yield [Finding.from_eslint(found) for found in one["findings"]]


def with_fault(name: str, text: str, instead: str) -> str:
    assert FOUND[name].count(text) >= 1, f"{name}: {text!r} is not in it"
    return FOUND[name].replace(text, instead, 1)


@pytest.fixture(scope="module")
def correct():
    """{name: findings}"""
    return dict(zip(FOUND, judged([(script_of(name), code) for name, code in FOUND.items()]), strict=True))


@pytest.fixture(scope="module")
def faulty():
    """Findings of each of FAULTS."""
    return list(judged([(script_of(name), with_fault(name, text, instead)) for name, _, text, instead in FAULTS]))


def serious(findings):
    return [(one.rule, one.line, one.message) for one in findings if one.level != "info"]


@pytest.mark.parametrize("name", FOUND)
def test_a_correct_script_is_not_found_fault_with(correct, name):
    assert serious(correct[name]) == []


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[f"{name}-{rule}" for name, rule, *_ in FAULTS])
def test_the_fault_in_a_script_is_found(faulty, number):
    rule = FAULTS[number][1]
    assert rule in {found for found, *_ in serious(faulty[number])}


def test_every_script_and_style_is_among_them():
    assert {script_of(name) for name in FOUND} == set(SCRIPTS)
    for module in ("pg", "mysql", "mysql2", "mssql", "tedious", "mongodb", "request", "axios", "https", "node-fetch"):
        assert any(f"require('{module}" in code for code in FOUND.values()), module
    assert len({name for name, *_ in FAULTS}) >= 20
