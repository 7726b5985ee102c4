"""Deploy CLI projects: what is written reads back the same, by us and by the Deploy CLI's own parser."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deployments import archive, project
from deployments.kinds import KINDS
from portal.errors import Invalid
from runtime import node

CONTENT: project.Content = {
    "actions": {
        "MFA / partners": {"name": "MFA / partners", "code": "exports.a = 1;\n", "secrets": [{"name": "K"}]},
        "MFA : partners": {"name": "MFA : partners", "code": "exports.b = 2;\n"},
    },
    "clients": {"Shop": {"name": "Shop", "callbacks": ["https://a"], "custom_login_page": "<html>\n</html>"}},
    "databases": {"users": {"name": "users", "options": {"customScripts": {"login": "function login() {}\n"}}}},
    "connections": {
        "email": {"name": "email", "strategy": "email", "options": {"email": {"body": "<p>\n{{ code }}</p>"}}}
    },
    "clientGrants": {"Shop · https://api": {"client_id": "Shop", "audience": "https://api", "scope": ["a"]}},
    "emailTemplates": {"reset_email": {"template": "reset_email", "body": "<p>\n</p>", "enabled": True}},
    "emailProvider": {"settings": {"name": "smtp", "credentials": {"smtp_host": "##EMAIL##"}}},
    "branding": {
        "settings": {"colors": {"primary": "#fff"}, "templates": [{"template": "universal_login", "body": "<a>\n</a>"}]}
    },
    "triggers": {"post-login": [{"action_name": "MFA", "display_name": "MFA"}]},
    "tenant": {"settings": {"friendly_name": "Ünïcode"}},
    "guardianPolicies": {"settings": {"policies": ["all-applications"]}},
    "attackProtection": {
        "settings": {
            "breachedPasswordDetection": {"enabled": True},
            "bruteForceProtection": {"enabled": True},
            "suspiciousIpThrottling": {"enabled": False},
        }
    },
    "themes": {"Blue": {"displayName": "Blue"}, "Red": {"displayName": "Red"}},
    "prompts": {
        "settings": {
            "universal_login_experience": "new",
            "customText": {"en": {"login": {"login": {"title": "Hi"}}}},
            "partials": {"login": {"login": {"form-content-start": "<div>\n</div>"}}},
            "screenRenderers": [{"prompt": "login-id", "screen": "login-id", "rendering_mode": "advanced"}],
        }
    },
    "phoneProviders": {"twilio": {"name": "twilio", "credentials": {"auth_token": "##PHONE##"}}},
    "organizations": {"acme": {"name": "acme", "connections": [], "display_name": "Acme"}},
}


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    project.write(CONTENT, tmp_path)
    content, doubled = project.read(tmp_path)
    assert content == CONTENT
    assert doubled == {}


def test_two_names_that_make_one_file_name_overwrite_nothing(tmp_path: Path) -> None:
    paths = project.write({"actions": CONTENT["actions"]}, tmp_path)
    assert len([path for path in paths if path.endswith(".json")]) == 2
    assert len([path for path in paths if path.endswith("code.js")]) == 2


PARSER = """
const Directory = require("auth0-deploy-cli/lib/context/directory").default;
require("auth0-deploy-cli/lib/logger").default.transports.forEach((t) => (t.silent = true));
const context = new Directory({ AUTH0_INPUT_FILE: process.argv[1] }, {});
context.loadAssetsFromLocal().then(() => process.stdout.write(JSON.stringify(context.assets)));
"""


def test_the_deploy_cli_reads_the_same_from_what_we_write(tmp_path: Path) -> None:
    project.write(CONTENT, tmp_path)
    theirs = json.loads(
        subprocess.run(
            [node.node_binary(), "-e", PARSER, str(tmp_path)],
            capture_output=True,
            check=True,
            timeout=60,
            cwd=Path(__file__).parents[2],
        ).stdout
    )
    for type_, things in CONTENT.items():
        ours = _as_assets(type_, things)
        assert _sorted(theirs[type_]) == _sorted(ours), type_
    assert not {kind for kind in KINDS if theirs.get(kind)} - CONTENT.keys()


def test_a_kind_without_objects_leaves_no_folder_that_would_mean_delete_all(tmp_path: Path) -> None:
    project.write({"organizations": {}, "clients": {}, "triggers": {}}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_absent_folder_is_not_read_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    (tmp_path / "clients").mkdir()
    content, _ = project.read(tmp_path)
    assert content == {"clients": {}}


def test_objects_that_share_a_name_are_reported(tmp_path: Path) -> None:
    (tmp_path / "clients").mkdir()
    for file in ("a.json", "b.json"):
        (tmp_path / "clients" / file).write_text('{"name": "Shop"}')
    content, doubled = project.read(tmp_path)
    assert doubled == {"clients": ["Shop"]}
    assert len(content["clients"]) == 2


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "tenant.json").write_text("{oops")
    with pytest.raises(Invalid, match=r"tenant\.json is not JSON"):
        project.read(tmp_path)


def test_a_path_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("top secret")
    folder = tmp_path / "project" / "actions"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text('{"name": "a", "code": "../secret.txt"}')
    with pytest.raises(Invalid, match="outside the project"):
        project.read(tmp_path / "project")


def test_a_zip_file_goes_there_and_back(tmp_path: Path) -> None:
    root = archive.unpack(archive.archive(CONTENT), tmp_path)
    assert project.read(root)[0] == CONTENT


def test_a_zipped_folder_is_found_one_level_down(tmp_path: Path) -> None:
    root = archive.unpack(_zip({"my-project/tenant.json": "{}", "__MACOSX/x": ""}), tmp_path)
    assert root == tmp_path / "my-project"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"../../etc/passwd": "x"}, "leads outside"),
        ({"/etc/passwd": "x"}, "leads outside"),
        ({"readme.md": "x"}, "No Deploy CLI project"),
        ({"clients/a.json": "x" * 5_000_001}, "larger than"),
    ],
)
def test_a_zip_file_that_is_no_sound_project_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        archive.unpack(_zip(files), tmp_path)


def test_what_is_no_zip_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="not a zip file"):
        archive.unpack(b"hello", tmp_path)


def test_symbolic_links_in_a_zip_file_are_left_out(tmp_path: Path) -> None:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as pack:
        link = zipfile.ZipInfo("clients/link.json")
        link.external_attr = 0o120777 << 16
        pack.writestr(link, "/etc/passwd")
        pack.writestr("tenant.json", "{}")
    root = archive.unpack(box.getvalue(), tmp_path)
    assert not (root / "clients").exists()


def _zip(files: dict[str, str]) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text in files.items():
            pack.writestr(name, text)
    return box.getvalue()


def _as_assets(type_: str, things: dict[str, Any]) -> Any:
    shape = KINDS[type_].shape
    return things["settings"] if shape == "single" else things if shape == "keyed" else list(things.values())


def _sorted(value: Any) -> Any:
    return sorted(value, key=lambda v: json.dumps(v, sort_keys=True)) if isinstance(value, list) else value
