"""Tags, components, forms and browser files, without a browser."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.conf import settings
from django.core.management import call_command
from django.template import TemplateSyntaxError, engines
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import timezone

from portal import vendor
from portal.context import ENTRIES
from portal.models import Stage
from portal.templatetags import look

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))


def render(source: str, **context: object) -> str:
    return engines["django"].from_string(source).render(context, RequestFactory().get("/"))


# Templates as a whole


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates")))
def test_a_template_compiles_and_holds_nothing_that_the_content_security_policy_refuses(template):
    get_template(str(template.relative_to(settings.BASE_DIR / "templates")))
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", template.read_text(), flags=re.DOTALL)
    assert not re.search(r"\sstyle=|\son[a-z]+=[\"']|<style|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"""(src|href)=["'](https?:)?//""", text), "pages load nothing from other machines"


def test_every_icon_that_is_used_by_name_is_in_the_sprite():
    wanted = {name for _, _, name, *_ in ENTRIES} | {icon for icon, _ in look.STAGES.values()}
    wanted |= {icon for _, icon, _ in look.STATUSES.values()}
    for template in TEMPLATES:
        text = template.read_text()
        wanted |= set(re.findall(r"{% icon [\"']([\w-]+)[\"']", text))
        wanted |= set(re.findall(r"\b(?:confirm_)?icon=[\"']([\w-]+)[\"']", text))
    assert wanted - set(vendor.ICONS) == set()


# Browser files


def test_browser_files_are_copied_without_references_to_source_maps(tmp_path):
    written = vendor.copy(tmp_path)
    assert {"tabler.min.css", "ace.js", "diff2html.min.js", "icons.svg"} <= {file.name for file in written}
    assert not [file for file in written if file.suffix in {".js", ".css"} and b"sourceMappingURL" in file.read_bytes()]
    sprite = (tmp_path / "icons.svg").read_text()
    assert sprite.count("<symbol ") == len(vendor.ICONS) and 'id="alert-triangle"' in sprite


def test_copying_again_leaves_unchanged_files_alone(tmp_path):
    before = {file: file.stat().st_mtime_ns for file in vendor.copy(tmp_path)}
    vendor.copy(tmp_path)
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_missing_packages_are_named_with_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="tabler.min.css is missing. Run `npm ci` first"):
        vendor.copy(tmp_path / "target", tmp_path / "node_modules")


def test_all_static_files_pass_the_hashed_storage_of_production(settings, tmp_path):
    vendor.copy()
    settings.STATIC_ROOT = tmp_path
    storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    call_command("collectstatic", interactive=False, verbosity=0)
    hashed = [file.name for file in (tmp_path / "portal").iterdir()]
    assert any(re.fullmatch(r"app\.[0-9a-f]{12}\.css", name) for name in hashed)


# Tags


@pytest.mark.parametrize("stage", Stage.values)
def test_a_stage_is_told_by_word_and_icon_not_by_colour_alone(stage):
    html = render("{% stage_badge tenant %}", tenant=SimpleNamespace(stage=stage))
    assert stage.capitalize() in html and "<use href=" in html and f"stage-{stage}" in html


def test_a_status_that_the_table_lacks_is_shown_in_its_own_words():
    assert "Half done" in render("{% status_badge 'half-done' %}")
    assert "pill-gray" in render("{% status_badge 'half-done' %}")
    assert "Not known" in render("{% status_badge None %}")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (timedelta(minutes=-3, seconds=-5), "3\xa0minutes ago"),
        (timedelta(hours=2, minutes=1), "in 2\xa0hours"),
        ("2020-01-02T03:04:05.000Z", "years ago"),
        (int(datetime(2020, 1, 2, tzinfo=UTC).timestamp()), "years ago"),
        (datetime(2020, 1, 2), "years ago"),
        (timedelta(), "just now"),
    ],
)
def test_moments_of_every_form_are_told_relatively(value, shown):
    value = timezone.now() + value if isinstance(value, timedelta) else value
    html = render("{% when value %}", value=value)
    assert shown in html and "<time datetime=" in html and "title=" in html


@pytest.mark.parametrize("value", [None, "", "yesterday", "2026-13-45T99:00:00Z", 10**18, {}, True])
def test_a_moment_that_is_none_never_breaks_the_page(value):
    assert "<time" not in render("{% when value 'not yet' %}", value=value)


def test_text_in_tags_is_escaped():
    bad = '"><script>alert(1)</script>'
    for source in (
        "{% copy bad %}",
        "{% status_badge bad %}",
        "{% stage_badge bad %}",
        "{% when bad %}",
        "{% kbd bad %}",
    ):
        assert "<script>" not in render(source, bad=bad)
    assert "<script>" not in render("{% card bad %}x{% endcard %}", bad=bad)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("ada.lovelace@larkspur.example", "AL"),
        ("Zoë", "Z"),
        ("", "?"),
        (None, "?"),
        ("42", "?"),
    ],
)
def test_initials(name, letters):
    assert look.initials(name) == letters


def test_json_is_laid_out_and_anything_else_is_left_alone():
    assert look.pretty_json('{"a":1}') == '{\n  "a": 1\n}'
    assert look.pretty_json("no json {") == "no json {"
    assert "object" in look.pretty_json({"odd": object()})


@pytest.mark.parametrize(
    ("seconds", "text"), [(40, "40 s"), (3900, "1 h 5 min"), (90_061, "1 d 1 h"), (0, "0 s"), ("x", "x")]
)
def test_durations_in_the_two_largest_units(seconds, text):
    assert look.duration(seconds) == text


# Components


def test_a_dialog_does_not_take_the_page_s_own_form_or_icon():
    source = '{% dialog id="d" title="Block?" action="/block/" %}<p>Text</p>{% enddialog %}'
    html = render(source, form="the page's form", icon="user", open=True)
    assert "the page&#x27;s form" not in html and "data-open" not in html
    assert "<p>Text</p>" in html and "csrfmiddlewaretoken" in html


def test_a_dialog_shows_the_page_s_tenant_and_stage():
    tenant = SimpleNamespace(name="Larkspur prod", domain="larkspur.example", stage="production")
    html = render('{% dialog id="d" title="Block?" action="/" typed="prod" %}{% enddialog %}', tenant=tenant)
    assert "Larkspur prod" in html and "Production" in html and 'data-must-be="prod"' in html


def test_a_wrong_parameter_of_a_component_is_an_error():
    with pytest.raises(TemplateSyntaxError, match="no parameter dangerous"):
        render('{% dialog id="d" title="Block?" dangerous=True %}{% enddialog %}')


def test_a_changed_secret_is_named_and_never_shown():
    source = '{% include "components/_changes.html" with changes=changes %}'
    html = render(source, changes=[{"path": "client_secret", "before": "old-one", "after": "new-one", "secret": True}])
    assert "secret: changed" in html and "old-one" not in html and "new-one" not in html


@pytest.mark.django_db
def test_a_run_is_polled_until_it_has_ended(tenants, person):
    from portal.models import Run

    user = person("release-manager").user
    source = '{% include "components/_run_progress.html" %}'
    run = Run.objects.create(kind="test", title="Export", requested_by=user, status=Run.Status.RUNNING)
    assert f'hx-get="/runs/{run.pk}/progress/"' in render(source, run=run)
    assert "Cancel" in render(source, run=run, permissions={"runs.cancel"})
    assert "Cancel" not in render(source, run=run, permissions={"runs.view"})
    run.status = Run.Status.FAILED
    assert "hx-get" not in render(source, run=run, permissions={"runs.cancel"})


# Forms


class SampleForm(forms.Form):
    name = forms.CharField(help_text="As people see it.")
    amount = forms.IntegerField(required=False)
    stage = forms.ChoiceField(choices=Stage.choices)
    agreed = forms.BooleanField()
    factors = forms.MultipleChoiceField(choices=[("otp", "OTP"), ("push", "Push")], widget=forms.CheckboxSelectMultiple)
    token = forms.CharField(widget=forms.HiddenInput)


def test_fields_are_joined_with_their_label_help_and_error():
    html = str(SampleForm({"name": ""}))
    assert '<label class="form-label" for="id_name">Name</label>' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_error"' in html and 'aria-invalid="true"' in html
    assert '<a href="#id_name">Name</a>: This field is required.' in html
    assert "Amount <span" in html, "optional fields say so"


@pytest.mark.parametrize(
    ("field", "css"),
    [("name", "form-control"), ("amount", "form-control"), ("stage", "form-select"), ("agreed", "form-check-input")],
)
def test_each_kind_of_input_gets_its_class(field, css):
    assert f'class="{css}"' in str(SampleForm()[field])


def test_hidden_fields_have_no_label_and_their_errors_are_still_told():
    html = str(SampleForm({"name": "x"}))
    assert '<label class="form-label" for="id_token"' not in html and "Token: This field is required." in html


# Pages


@pytest.mark.django_db
@pytest.mark.parametrize(
    "role", ["helpdesk", "auditor", "administrator", "release-manager", "security", "database-owner"]
)
def test_the_home_page_and_its_navigation_hold_what_the_role_may_see(person, tenants, role):
    html = person(role).get("/").content.decode()
    assert ("Find a user in" in html) == (role in {"helpdesk", "security"})
    assert ('href="/audit/"' in html) == (role in {"security", "auditor", "administrator"})
    assert "Nothing waits for you" in html


@pytest.mark.django_db
def test_a_page_of_a_tenant_bears_its_name_and_stage_in_title_and_band(person, tenants):
    html = person("administrator").get("/tenants/prod/").content.decode()
    assert "tenant-production" in html and 'class="tenant-band"' in html
    assert "<title>Access · Prod · Castellan</title>" in html


def test_every_component_has_a_comment_on_its_parameters():
    for template in Path(settings.BASE_DIR / "templates/components").glob("_*.html"):
        assert re.match(r"({% load static %})?{[#%]", template.read_text()), template.name
