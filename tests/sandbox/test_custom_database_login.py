"""Custom databases at login: which script runs when, and what each of its answers leads to."""

from __future__ import annotations

from tests.sandbox.web_login import (
    AUTH0_GRANT,
    PASSWORD,
    Person,
    claims,
    enable,
    log_types,
)

# A table of one user in the script itself. Every script says what it was called with in `console.log` only.
LOGIN = """
function login(userNameOrEmail, password, callback) {
  if (userNameOrEmail === "broken@ferry.example") return callback(new Error("The store is down"));
  if (userNameOrEmail === "locked@ferry.example") return callback(new UnauthorizedError("Call us"));
  if (userNameOrEmail === "crash@ferry.example") process.exit(1);
  if (userNameOrEmail !== "ann@ferry.example") return callback(new WrongUsernameOrPasswordError(null));
  if (password !== configuration.PASSWORD) return callback(new WrongUsernameOrPasswordError(userNameOrEmail));
  return callback(null, {user_id: "ferry-1", email: userNameOrEmail, email_verified: true, name: "Ann Ferry",
    app_metadata: {legacy: true}});
}"""
GET_USER = """
function getByEmail(email, callback) {
  if (email !== "ann@ferry.example") return callback(null);
  return callback(null, {user_id: "ferry-1", email, email_verified: true, name: "Ann Ferry"});
}"""
CREATE = """
function create(user, callback) {
  if (user.email === "taken@ferry.example") return callback(new ValidationError("user_exists", "Taken"));
  callback(null);
}"""
CHANGE_PASSWORD = (
    "function changePassword(email, newPassword, callback) { callback(null, email === 'ann@ferry.example'); }"
)
VERIFY = "function verify(email, callback) { callback(null, true); }"
SCRIPTS = {
    "login": LOGIN,
    "get_user": GET_USER,
    "create": CREATE,
    "change_password": CHANGE_PASSWORD,
    "verify": VERIFY,
}
ANN = "ann@ferry.example"


def database(tenant, client, **options):
    body = {
        "name": "ferry",
        "strategy": "auth0",
        "options": {
            "enabledDatabaseCustomization": True,
            "import_mode": False,
            "customScripts": SCRIPTS,
            "configuration": {"PASSWORD": PASSWORD},
            **options,
        },
    }
    made = tenant.api("POST", "/connections", body)
    enable(tenant, client, "ferry")
    return made


def person_at(tenant, client, email=ANN, password=PASSWORD):
    person = Person(tenant, client)
    person.sign_in(email, password, connection="ferry")
    return person


def test_a_legacy_database_is_asked_at_every_login_and_leaves_no_hash(tenant, client):
    made = database(tenant, client)
    person = person_at(tenant, client)
    body = person.id_claims()
    assert (body["sub"], body["name"], body["email_verified"]) == ("auth0|ferry-1", "Ann Ferry", True)
    user = tenant.user(ANN)
    assert user["identities"][0]["connection"] == "ferry"
    assert user["app_metadata"] == {"legacy": True}
    renamed = LOGIN.replace("Ann Ferry", "Ann Newname")
    tenant.change_options(made["id"], customScripts={**SCRIPTS, "login": renamed})
    assert person_at(tenant, client).id_claims()["name"] == "Ann Newname"
    assert "_password" not in tenant.control("GET", "state")["documents"]["users"]["auth0|ferry-1"]


def test_each_kind_of_script_error_has_its_own_answer(tenant, client):
    database(tenant, client)
    wrong = person_at(tenant, client, password="wrong")
    assert "Wrong email or password." in wrong.text
    assert log_types(tenant)[0] == "fp"
    unknown = person_at(tenant, client, "nobody@ferry.example")
    assert "Wrong email or password." in unknown.text
    assert log_types(tenant)[0] == "fu"
    assert "Call us" in person_at(tenant, client, "locked@ferry.example").text
    broken = person_at(tenant, client, "broken@ferry.example")
    assert "something went wrong" in broken.text
    assert "The store is down" not in broken.text
    assert log_types(tenant)[0] == "f"
    assert "something went wrong" in person_at(tenant, client, "crash@ferry.example").text
    assert person_at(tenant, client).answer["code"]


def test_the_password_grant_runs_the_script_too(tenant, client):
    database(tenant, client)
    body = {"client_id": client["client_id"], "client_secret": client["client_secret"], "scope": "openid"}
    body |= {"grant_type": AUTH0_GRANT + "password-realm", "realm": "ferry", "username": ANN}
    answer = tenant.http.post("/oauth/token", json={**body, "password": PASSWORD})
    assert claims(answer.json()["id_token"])["sub"] == "auth0|ferry-1"
    answer = tenant.http.post("/oauth/token", json={**body, "username": "broken@ferry.example", "password": "x"})
    assert (answer.status_code, answer.json()["error_description"]) == (403, "The store is down")


def test_lazy_migration_asks_the_old_store_once(tenant, client):
    made = database(tenant, client, import_mode=True)
    assert person_at(tenant, client).answer["code"]
    dead = "function login(name, password, callback) { callback(new Error('must not run')); }"
    tenant.change_options(made["id"], customScripts={**SCRIPTS, "login": dead})
    assert person_at(tenant, client).answer["code"]
    assert "Wrong email or password." in person_at(tenant, client, password="wrong").text


def test_signing_up_writes_to_the_legacy_store_and_hears_of_duplicates(tenant, client):
    database(tenant, client)
    body = {"client_id": client["client_id"], "connection": "ferry", "password": PASSWORD}
    taken = tenant.http.post("/dbconnections/signup", json={**body, "email": "taken@ferry.example"})
    assert taken.status_code == 400
    known = tenant.http.post("/dbconnections/signup", json={**body, "email": ANN})
    assert known.status_code == 400
    fresh = tenant.http.post("/dbconnections/signup", json={**body, "email": "new@ferry.example"})
    assert fresh.status_code == 200, fresh.text


def test_a_reset_changes_the_password_in_the_legacy_store(tenant, client):
    database(tenant, client)
    body = {"client_id": client["client_id"], "connection": "ferry", "email": ANN}
    tenant.http.post("/dbconnections/change_password", json=body)
    person = Person(tenant, client)
    person.open(tenant.mail(ANN)[0]["link"])
    person.submit(password="Another-demo-2", password_again="Another-demo-2")
    assert "Password Changed!" in person.text
    assert tenant.user(ANN)["last_password_reset"]


def test_verification_in_a_legacy_store_leaves_auth0s_flag_alone(tenant, client):
    database(tenant, client)
    person = person_at(tenant, client)
    tenant.api("PATCH", "/users/auth0|ferry-1", {"email_verified": False, "connection": "ferry"})
    made = tenant.api("POST", "/tickets/email-verification", {"user_id": "auth0|ferry-1"})
    person.open(made["ticket"])
    assert "successfully verified" in person.text
    assert tenant.user(ANN)["email_verified"] is False


def test_a_missing_script_says_what_to_do(tenant, client):
    database(tenant, client, customScripts={"get_user": GET_USER})
    assert "something went wrong" in person_at(tenant, client).text
    event = tenant.api("GET", "/logs", per_page=1, sort="date:-1")[0]
    assert event["description"].startswith("Please implement the login script")
