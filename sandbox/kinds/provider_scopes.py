"""Which OAuth scopes a social connection asks its provider for: flags in the options, tables by strategy.

Auth0 works `scope` out from the flags whenever options are written. The names of scopes are the providers' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.store import Document

Flags = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    flags: Flags
    """Flag in the options -> scope. Scopes are asked for in the order in which the flags were sent."""
    joint: str | None = None
    """What joins the scopes to a text; None: they stay a list."""
    always: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    """Flags that are on unless they are sent."""


def _same(names: str) -> dict[str, str]:
    return _spelled(names, "_")


def _spelled(names: str, joint: str, most: int = -1) -> dict[str, str]:
    """Flags whose scope has the same words, the first ones joined otherwise."""
    return {name: name.replace("_", joint, most) for name in names.split()}


def _below(url: str, flags: Flags) -> dict[str, str]:
    return {flag: f"{url}{scope}" for flag, scope in flags.items()}


GITHUB = {
    "email": "user:email",
    "follow": "user:follow",
    **_same("public_repo repo repo_deployment delete_repo notifications gist"),
    **_spelled(
        "read_user repo_status read_repo_hook write_repo_hook admin_repo_hook read_org admin_org write_org "
        "read_public_key write_public_key admin_public_key",
        ":",
        1,
    ),
}
MICROSOFT_GRAPH = _below(
    "https://graph.microsoft.com/",
    {
        "graph_user": "User.Read",
        "graph_user_update": "User.ReadWrite",
        "graph_user_activity": "UserActivity.ReadWrite.CreatedByApp",
        "graph_calendars": "Calendars.Read",
        "graph_calendars_update": "Calendars.ReadWrite",
        "graph_contacts": "Contacts.Read",
        "graph_contacts_update": "Contacts.ReadWrite",
        "graph_device": "Device.Read",
        "graph_device_command": "Device.Command",
        "graph_emails": "Mail.Read",
        "graph_emails_update": "Mail.ReadWrite",
        "graph_files": "Files.Read",
        "graph_files_update": "Files.ReadWrite",
        "graph_files_all": "Files.Read.All",
        "graph_files_all_update": "Files.ReadWrite.All",
        "graph_notes": "Notes.Read",
        "graph_notes_create": "Notes.Create",
        "graph_notes_update": "Notes.ReadWrite",
        "graph_tasks": "Tasks.Read",
        "graph_tasks_update": "Tasks.ReadWrite",
        "directory_accessasuser_all": "Directory.AccessAsUser.All",
        "directory_read_all": "Directory.Read.All",
        "directory_readwrite_all": "Directory.ReadWrite.All",
        "group_read_all": "Group.Read.All",
        "group_readwrite_all": "Group.ReadWrite.All",
        "mail_readwrite_all": "Mail.ReadWrite.All",
        "mail_send": "Mail.Send",
        "rolemanagement_read_all": "RoleManagement.Read.All",
        "rolemanagement_readwrite_directory": "RoleManagement.ReadWrite.Directory",
        "sites_read_all": "Sites.Read.All",
        "sites_readwrite_all": "Sites.ReadWrite.All",
        "team_readbasic_all": "Team.ReadBasic.All",
        "team_readwrite_all": "Team.ReadWrite.All",
        "user_read_all": "User.Read.All",
        "user_readbasic_all": "User.ReadBasic.All",
    },
) | _same("offline_access")
WINDOWS_LIVE = _below(
    "wl.",
    _same(
        "applications applications_create basic birthday calendars calendars_update contacts_birthday "
        "contacts_calendars contacts_create contacts_photos contacts_skydrive emails events_create messenger "
        "offline_access phone_numbers photos postal_addresses share signin skydrive skydrive_update work_profile"
    ),
)
FACEBOOK = _same(
    "email public_profile groups_access_member_info publish_to_groups user_age_range user_birthday ads_management "
    "ads_read allow_context_profile_field business_management leads_retrieval manage_notifications manage_pages "
    "pages_manage_cta pages_manage_instant_articles pages_messaging pages_messaging_phone_number "
    "pages_messaging_subscriptions pages_show_list publish_actions publish_pages publish_video "
    "read_audience_network_insights read_insights read_mailbox read_page_mailboxes read_stream user_events "
    "user_friends user_gender user_groups user_hometown user_likes user_link user_location user_managed_groups "
    "user_photos user_posts user_status user_tagged_places user_videos"
)
GOOGLE = {
    **_same("email profile"),
    **_below(
        "https://www.googleapis.com/auth/",
        {
            "adsense_management": "adsense",
            "chrome_web_store": "chromewebstore.readonly",
            "contacts_new": "contacts",
            "content_api_for_shopping": "structuredcontent",
            "google_affiliate_network": "gan",
            "google_books": "books",
            "google_cloud_storage": "devstorage.read_write",
            "google_drive": "drive",
            "google_drive_files": "drive.file",
            "google_plus": "plus.login",
            "latitude_best": "latitude.all.best",
            "latitude_city": "latitude.all.city",
            "url_shortener": "urlshortener",
            "youtube_channelmemberships_creator": "youtube.channel-memberships.creator",
            "youtube_new": "youtube",
            **_same("analytics blogger calendar coordinate drive moderator orkut tasks youtubepartner"),
            **_spelled(
                "calendar_addons_execute calendar_events calendar_events_readonly calendar_settings_readonly "
                "contacts_other_readonly contacts_readonly coordinate_readonly directory_readonly drive_activity "
                "drive_activity_readonly drive_appdata drive_apps_readonly drive_file drive_metadata "
                "drive_metadata_readonly drive_photos_readonly drive_readonly drive_scripts gmail_compose gmail_insert "
                "gmail_labels gmail_metadata gmail_modify gmail_readonly gmail_send gmail_settings_basic "
                "gmail_settings_sharing tasks_readonly youtube_readonly youtube_upload",
                ".",
            ),
        },
    ),
    # What was there before the names at googleapis.com, for some of which there are flags of their own ("_new").
    "gmail": "https://mail.google.com/mail/feed/atom",
    "youtube": "https://gdata.youtube.com",
    "contacts": "https://www.google.com/m8/feeds/",
    "document_list": "https://docs.google.com/feeds/",
    "picasa_web": "https://picasaweb.google.com/data/",
    "sites": "https://sites.google.com/feeds/",
    "spreadsheets": "https://spreadsheets.google.com/feeds/",
    "webmaster_tools": "http://www.google.com/webmasters/tools/feeds/",
    "gmail_new": "https://mail.google.com/",
}
LINKEDIN_VERSIONS: dict[int, Flags] = {
    1: {
        "profile": "r_basicprofile",
        "basic_profile": "r_basicprofile",
        "full_profile": "r_fullprofile",
        "network": "r_network",
        "email": "r_emailaddress",
    },
    2: {"profile": "r_liteprofile", "basic_profile": "r_basicprofile", "email": "r_emailaddress"},
    3: _same("openid profile email"),
}
SALESFORCE = Asked(_same("profile"))
PAYPAL = Asked(_same("profile email address phone"), always=("openid",))

SCOPES: dict[str, Asked] = {
    "github": Asked(GITHUB),
    "facebook": Asked(FACEBOOK, joint=","),
    "apple": Asked(_same("name email"), joint=" "),
    "google-oauth2": Asked(GOOGLE, on=("email", "profile")),
    "google-apps": Asked(_same("email profile"), on=("email", "profile")),
    "amazon": Asked(_same("profile postal_code")),
    "line": Asked(_same("profile email")),
    "twitter": Asked({"tweet_read": "tweet.read", "users_read": "users.read", "offline_access": "offline.access"}),
    "paypal": PAYPAL,
    "paypal-sandbox": PAYPAL,
    "salesforce": SALESFORCE,
    "salesforce-community": SALESFORCE,
    "salesforce-sandbox": SALESFORCE,
}
VERSIONED: dict[str, tuple[int, dict[int, Flags]]] = {
    "windowslive": (2, {1: WINDOWS_LIVE, 2: MICROSOFT_GRAPH}),
    "linkedin": (3, LINKEDIN_VERSIONS),
}
"""Strategy -> the strategy_version of who sends none, and the flags of each."""


def with_scope(strategy: str, options: Document) -> Document:
    """The options with the scope that their flags ask for, and the flags that are on by themselves. A scope that was
    sent without any flag stays."""
    asked = _asked(strategy, options)
    if asked is None:
        return options
    flags = dict.fromkeys(asked.on, True) | options
    if "scope" in options and asked.flags.keys().isdisjoint(flags):
        return options
    scopes = [*asked.always, *(asked.flags[flag] for flag in flags if flag in asked.flags and flags[flag])]
    own = options.get("scope" if options.get("allow_setting_login_scopes") else "freeform_scopes") or ()
    found = list(dict.fromkeys([*scopes, *own]))
    return {**flags, "scope": found if asked.joint is None else asked.joint.join(found)}


def _asked(strategy: str, options: Document) -> Asked | None:
    if strategy not in VERSIONED:
        return SCOPES.get(strategy)
    usual, versions = VERSIONED[strategy]
    return Asked(versions.get(options.get("strategy_version") or usual, versions[usual]))
