"""Which attribute of a directory or of SCIM fills which attribute of a user, unless a connection says otherwise."""

from __future__ import annotations

_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

SCIM_MAPPING = (
    ("userName", "username"),
    ("emails[primary eq true].value", "email"),
    ("externalId", "app_metadata.external_id"),
    ("active", "blocked"),
    ("displayName", "name"),
    ("name.givenName", "given_name"),
    ("name.familyName", "family_name"),
    ("name.middleName", "app_metadata.middle_name"),
    ("name.honorificPrefix", "app_metadata.honorific_prefix"),
    ("name.honorificSuffix", "app_metadata.honorific_suffix"),
    ("nickName", "nickname"),
    ('photos[type eq "photo"].value', "picture"),
    ("phoneNumbers[primary eq true].value", "app_metadata.primary_phone_number"),
    ('phoneNumbers[type eq "mobile"].value', "app_metadata.mobile_phone_number"),
    ('addresses[type eq "work"].streetAddress', "app_metadata.street_address"),
    ('addresses[type eq "work"].locality', "app_metadata.city"),
    ('addresses[type eq "work"].region', "app_metadata.state"),
    ('addresses[type eq "work"].postalCode', "app_metadata.postal_code"),
    ('addresses[type eq "work"].formatted', "app_metadata.postal_address"),
    ('addresses[type eq "work"].country', "app_metadata.country"),
    ("profileUrl", "app_metadata.profile_url"),
    ("userType", "app_metadata.user_type"),
    ("title", "app_metadata.title"),
    ("preferredLanguage", "app_metadata.language"),
    ("locale", "app_metadata.locale"),
    ("timezone", "app_metadata.timezone"),
    (f"{_ENTERPRISE}.employeeNumber", "app_metadata.employee_id"),
    (f"{_ENTERPRISE}.costCenter", "app_metadata.cost_center"),
    (f"{_ENTERPRISE}.organization", "app_metadata.organization"),
    (f"{_ENTERPRISE}.division", "app_metadata.division"),
    (f"{_ENTERPRISE}.department", "app_metadata.department"),
    (f"{_ENTERPRISE}.manager", "app_metadata.manager"),
)

_SAME_NAME = (
    "kind etag customerId orgUnitPath emails phones externalIds aliases addresses organizations nonEditableAliases "
    "relations languages posixAccounts notes websites locations keywords gender ims creationTime lastLoginTime "
    "changePasswordAtNextLogin isMailboxSetup includeInGlobalAddressList thumbnailPhotoUrl thumbnailPhotoEtag "
    "isEnrolledIn2Sv isEnforcedIn2Sv recoveryEmail recoveryPhone sshPublicKeys customSchemas"
)

DIRECTORY_MAPPING = (
    ("id", "app_metadata.external_id"),
    ("primaryEmail", "email"),
    ("primaryEmail", "primaryEmail"),
    ("name.fullName", "name"),
    ("name.givenName", "given_name"),
    ("name.familyName", "family_name"),
    ("isAdmin", "isAdmin"),
    ("isAdmin", "is_admin"),
    ("isDelegatedAdmin", "isDelegatedAdmin"),
    ("agreedToTerms", "agreedToTerms"),
    ("agreedToTerms", "tou_accepted"),
    ("suspended", "suspended"),
    ("suspended", "is_suspended"),
    ("suspended", "blocked"),
    ("suspensionReason", "suspensionReason"),
    ("archived", "archived"),
    ("ipWhitelisted", "ipWhitelisted"),
    ("ipWhitelisted", "is_ipWhitelisted"),
    *((name, name) for name in _SAME_NAME.split()),
)
