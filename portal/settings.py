"""The only reader of the environment. Each variable is explained in docs/settings.md (a test compares the two)."""

import sys
from pathlib import Path
from urllib.parse import quote

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env", overwrite=False)

STATE_DIR = Path(env("STATE_DIR", default=str(BASE_DIR / "var")))
STATE_DIR.mkdir(parents=True, exist_ok=True)
TESTING = "pytest" in sys.modules

DEBUG = env.bool("DEBUG", default=False)
# Without a key the process gets a random one: it runs, and forgets its sign-ins at the next start.
SECRET_KEY = env("SECRET_KEY", default="") or None
if SECRET_KEY is None:
    from django.core.management.utils import get_random_secret_key

    SECRET_KEY = get_random_secret_key()
# Fernet keys (44 characters each), the newest first. `manage.py rotate_keys` re-encrypts with the first.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])
PUBLIC_URL = env("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SECURE = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "csp",
    "django_htmx",
    "social_django",
    "portal",
    "identity",
    "deployments",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.RequestIds",
    "portal.middleware.ErrorPages",
]
ROOT_URLCONF = "portal.urls"
FORM_RENDERER = "portal.widgets.Renderer"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.portal",
            ],
            "builtins": ["portal.templatetags.look", "portal.templatetags.acts"],
        },
    }
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{quote(str(STATE_DIR / 'portal.sqlite3'))}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # One writer at a time, readers never blocked; a writer waits instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)

# Unset, `manage.py demo` and the tests start an embedded Valkey and name it here.
REDIS_URL = env("REDIS_URL", default="")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "castellan",
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_TASK_TIME_LIMIT = env.int("TASK_TIME_LIMIT_SECONDS", default=3600)

AUTHENTICATION_BACKENDS = ["portal.login.Auth0", "portal.access.RoleBackend"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
SOCIAL_AUTH_AUTH0_OIDC_DOMAIN = env("AUTH0_DOMAIN", default="")
SOCIAL_AUTH_AUTH0_OIDC_KEY = env("AUTH0_CLIENT_ID", default="")
SOCIAL_AUTH_AUTH0_OIDC_SECRET = env("AUTH0_CLIENT_SECRET", default="")
AUTH0_ROLES_CLAIM = env("AUTH0_ROLES_CLAIM", default="https://castellan.example/roles")
# A file with the certificate authorities to trust besides the usual ones: a company's proxy, local tenants.
CA_BUNDLE = env("CA_BUNDLE", default="")
SOCIAL_AUTH_VERIFY_SSL = CA_BUNDLE or True
SOCIAL_AUTH_URL_NAMESPACE = "social"
SOCIAL_AUTH_LOGIN_ERROR_URL = "/sign-in/failed/"
SOCIAL_AUTH_REDIRECT_IS_HTTPS = SECURE
SOCIAL_AUTH_SANITIZE_REDIRECTS = True
SOCIAL_AUTH_PIPELINE = (
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.auth_allowed",
    "social_core.pipeline.social_auth.social_user",
    "social_core.pipeline.user.get_username",
    "social_core.pipeline.user.create_user",
    "social_core.pipeline.social_auth.associate_user",
    "social_core.pipeline.user.user_details",
    "portal.login.sync_roles",
)
# The Auth0 tenant is trusted for these fields at each sign-in; a password never lives here.
SOCIAL_AUTH_AUTH0_OIDC_SCOPE = ["openid", "profile", "email"]
SOCIAL_AUTH_AUTH0_OIDC_IGNORE_DEFAULT_SCOPE = True
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=8 * 3600)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
# Sending http:// visitors to https:// is the business of the proxy that ends TLS; health checks come past it.
SILENCED_SYSTEM_CHECKS = ["security.W008"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING

# What a call to Auth0 may take, in seconds, before the page says that Auth0 is slow.
AUTH0_TIMEOUT_SECONDS = env.float("AUTH0_TIMEOUT_SECONDS", default=10.0)
AUTH0_READ_ONLY = env.bool("AUTH0_READ_ONLY", default=False)
REASON_REQUIRED = env.bool("REASON_REQUIRED", default=True)

DEFAULT_EXCEPTION_REPORTER_FILTER = "portal.redaction.ReportFilter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secrets": {"()": "portal.redaction.LogFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["secrets"]}},
    # Addresses of calls hold e-mail addresses and ids: people's data has no place in a log.
    # Django's own handler of DEBUG would write beside ours, without the filter.
    "loggers": {"httpx": {"level": "WARNING"}, "django": {"level": "INFO", "handlers": []}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", default="INFO")},
}
