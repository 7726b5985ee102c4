"""Accounts at login: sign-up, forgotten passwords, organizations, consent, other connections."""

from __future__ import annotations

from tests.sandbox.web_login import (
    CONNECTION,
    PASSWORD,
    Person,
    log_types,
    new_client,
    new_user,
)

# Sign-up, forgotten passwords, verification


def test_a_new_person_signs_up_and_verifies_the_address(tenant, person):
    person.authorize(screen_hint="signup")
    assert person.at == "/u/signup"
    person.submit(email="New.One@fernhill.example", password="short")
    assert "Password is too weak" in person.text
    person.submit(email="New.One@fernhill.example", password=PASSWORD)
    assert "code" in person.answer
    user = tenant.user("new.one@fernhill.example")
    assert user["email_verified"] is False
    mail = tenant.mail("new.one@fernhill.example")[0]
    assert mail["template"] == "verify_email"
    person.open(mail["link"])
    assert "successfully verified" in person.text
    assert tenant.user("new.one@fernhill.example")["email_verified"] is True
    person.open(mail["link"])
    assert person.page.status_code == 400
    assert {"ss", "sv", "s"} <= set(log_types(tenant, user["user_id"]))


def test_signing_up_twice_does_not_tell_that_the_account_exists(person, user):
    person.authorize(screen_hint="signup")
    person.submit(email=user["email"], password=PASSWORD)
    assert "Something went wrong" in person.text


def test_a_forgotten_password_is_reset_by_the_newest_mail_once_and_ends_the_sessions(tenant, client, person, user):
    person.sign_in(user["email"])
    other = Person(tenant, client)
    other.authorize()
    other.submit(username=user["email"])
    other.open([link for link in other.links if "/u/reset-password/request" in link][0])
    other.submit(email=user["email"])
    assert "on its way" in other.text
    old = tenant.mail(user["email"])[0]["link"]
    answer = tenant.http.post("/dbconnections/change_password", json={"email": user["email"], "connection": CONNECTION})
    assert answer.text == "We've just sent you an email to reset your password."
    other.open(old)
    assert other.page.status_code == 400
    link = tenant.mail(user["email"])[0]["link"]
    other.open(link)
    other.submit(password="Another-demo-2", password_again="Another-demo-3")
    assert "not the same" in other.text
    other.submit(password="weak", password_again="weak")
    assert "too weak" in other.text
    other.submit(password="Another-demo-2", password_again="Another-demo-2")
    assert "Password Changed!" in other.text
    other.open(link)
    assert other.page.status_code == 400
    person.authorize(prompt="none")
    assert person.answer["error"] == "login_required"
    assert person.sign_in(user["email"], "Another-demo-2")
    assert {"scpr", "scp"} <= set(log_types(tenant, user["user_id"]))


def test_a_ticket_of_the_management_api_sets_the_password_until_it_expires(tenant, person, user):
    made = tenant.api("POST", "/tickets/password-change", {"user_id": user["user_id"], "ttl_sec": 900})
    person.open(made["ticket"])
    assert "Change your password" in person.text
    tenant.advance_clock(901)
    person.submit(password="Another-demo-2", password_again="Another-demo-2")
    assert person.page.status_code == 400
    wanted = {"user_id": user["user_id"], "result_url": "http://localhost:3999/done", "includeEmailInRedirect": True}
    made = tenant.api("POST", "/tickets/password-change", wanted)
    person.open(made["ticket"])
    person.submit(password="Another-demo-2", password_again="Another-demo-2")
    assert person.landed.startswith("http://localhost:3999/done?")
    assert person.answer["success"] == "true"
    assert person.answer["email"] == user["email"]


# Organizations, consent, other connections


def test_only_members_sign_in_to_an_organization(tenant, person, user):
    tenant.api("PATCH", f"/clients/{person.client['client_id']}", {"organization_usage": "allow"})
    made = tenant.api("POST", "/organizations", {"name": "fernhill", "display_name": "Fernhill"})
    person.sign_in(user["email"], organization=made["id"])
    assert person.answer["error"] == "access_denied"
    assert person.answer["error_description"] == f"user {user['user_id']} is not part of the {made['id']} organization"
    tenant.api("POST", f"/organizations/{made['id']}/members", {"members": [user["user_id"]]})
    person.sign_in(user["email"], organization="fernhill")
    assert person.id_claims()["org_id"] == made["id"]


def test_an_invitation_makes_a_member_with_roles(tenant, person, user):
    id = person.client["client_id"]
    tenant.api(
        "PATCH", f"/clients/{id}", {"organization_usage": "require", "initiate_login_uri": "https://app.example/login"}
    )
    made = tenant.api("POST", "/organizations", {"name": "fernhill", "display_name": "Fernhill"})
    role = tenant.named("roles", "castellan-helpdesk")
    wanted = {"inviter": {"name": "Ada"}, "invitee": {"email": user["email"]}, "client_id": id, "roles": [role["id"]]}
    invitation = tenant.api("POST", f"/organizations/{made['id']}/invitations", wanted)
    stranger = Person(tenant, person.client)
    new_user(tenant, "stranger@fernhill.example")
    stranger.authorize(organization=made["id"], invitation=invitation["ticket_id"])
    stranger.open(f"/u/login?state={stranger.page.url.params['state']}")
    stranger.submit(username="stranger@fernhill.example", password=PASSWORD)
    assert "not allowed to accept the current invitation" in stranger.answer["error_description"]
    assert "fi" in log_types(tenant)
    person.authorize(organization=made["id"], invitation=invitation["ticket_id"])
    assert person.at == "/u/signup"
    person.open(f"/u/login?state={person.page.url.params['state']}")
    person.submit(username=user["email"], password=PASSWORD)
    assert "code" in person.answer
    assert "si" in log_types(tenant, user["user_id"])
    assert tenant.api("GET", f"/organizations/{made['id']}/members/{user['user_id']}/roles")[0]["id"] == role["id"]
    person.authorize(organization=made["id"], invitation=invitation["ticket_id"])
    assert person.answer["error"] == "invalid_request"


def test_an_application_of_others_asks_for_consent_once(tenant, user):
    client = new_client(tenant, is_first_party=False)
    person = Person(tenant, client)
    tenant.api("PATCH", f"/connections/{tenant.named('connections', CONNECTION)['id']}", {"is_domain_connection": True})
    person.sign_in(user["email"])
    assert person.at == "/u/consent"
    person.submit(action="deny")
    assert person.answer["error"] == "access_denied"
    person.sign_in(user["email"])
    person.submit(action="accept")
    assert "code" in person.answer
    assert "code" in (person.authorize(prompt="none") and person.answer)
    (grant,) = tenant.api("GET", "/grants", user_id=user["user_id"])
    assert "email" in grant["scope"]
    tenant.api("DELETE", f"/grants/{grant['id']}")
    person.authorize(prompt="none")
    assert person.answer["error"] == "consent_required"


def test_a_social_connection_signs_in_without_a_password(tenant, person):
    from tests.sandbox.web_login import enable

    enable(tenant, person.client, "google-oauth2")
    person.authorize(connection="google-oauth2")
    assert person.at == "/u/login/connection"
    person.submit(form=-1, email="pat@gmail.example", name="Pat")
    assert person.id_claims()["sub"].startswith("google-oauth2|")


def test_pages_are_safe_from_what_is_put_into_them(person):
    person.authorize(login_hint='"><script>alert(1)</script>')
    assert "<script>alert(1)" not in person.page.text
    policy = person.page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
