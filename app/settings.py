"""Every setting, read from the environment. What is unset falls back to the embedded stack in STEPMARK_HOME."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
from csp.constants import NONE, SELF

from app import logs, scorers, secret
from app.stack import paths

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
STEPMARK_HOME = Path(env.str("STEPMARK_HOME", str(BASE_DIR / "var"))).absolute()
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or secret.kept_in(STEPMARK_HOME)
# Behind a TLS proxy set HTTPS=1: cookies become Secure and HTTP is redirected.
HTTPS = env.bool("HTTPS", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "template_partials",
    "django_htmx",
    "allauth",
    "allauth.account",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_structlog",
    "csp",
    "annotations",
    "app.stack",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "app.compression.Compression",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]

ROOT_URLCONF = "app.urls"
WSGI_APPLICATION = "app.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "frontend_templates" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- PostgreSQL ---------------------------------------------------------------------------------------------------
EMBEDDED_DATABASE = "DATABASE_URL" not in os.environ
DATABASES: dict[str, dict[str, Any]]
if EMBEDDED_DATABASE:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "stepmark",
            "USER": "stepmark",
            "HOST": str(paths.run_dir(STEPMARK_HOME)),
        }
    }
else:
    DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Celery -------------------------------------------------------------------------------------------------------
EMBEDDED_BROKER = "CELERY_BROKER_URL" not in os.environ
CELERY_BROKER_URL = (
    f"redis+socket://{quote(str(paths.broker_socket(STEPMARK_HOME)))}"
    if EMBEDDED_BROKER
    else env.str("CELERY_BROKER_URL")
)
# A request that sends work waits for a broker that is away half a second, not minutes: the run's row is kept anyway.
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
if CELERY_BROKER_URL.startswith("redis"):
    # What a worker took and did not acknowledge comes back after this long; it must exceed the longest task.
    CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] = 12 * 60 * 60
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "light"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# --- Cache: limits on logins have to count across processes, and hold when the broker is away: so, PostgreSQL --------
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "stepmark_cache"}}

# --- Accounts -----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "annotations.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "annotations.accounts.ClosedSignup"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# --- API ----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "annotations.api.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "annotations.api.auth.TokenAllows",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["annotations.api.parsers.StrictJSON"],
    "DEFAULT_SCHEMA_CLASS": "annotations.api.schema.Schema",
    "DEFAULT_FILTER_BACKENDS": ["annotations.api.filters.Backend"],
    "DEFAULT_PAGINATION_CLASS": "annotations.api.pages.ByKey",
    "EXCEPTION_HANDLER": "annotations.api.errors.handler",
}
KNOX_TOKEN_MODEL = "annotations.ApiToken"
MIGRATION_MODULES = {"knox": None}  # its own table, which we swap out, would only stand in the way of TRUNCATE
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Token"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stepmark",
    "VERSION": "1",
    "DESCRIPTION": "Step-level labels for the trajectories of tool-using agents.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "RunState": "annotations.models.Run.State",
        "RunKind": "annotations.models.Run.Kind",
        "AnnotationState": "annotations.models.Annotation.State",
        "RaterKind": "annotations.models.Rater.Kind",
        "ThreadKind": "annotations.models.Thread.Kind",
        "ThreadState": "annotations.models.Thread.State",
        "JudgeCallState": "annotations.models.JudgeCall.State",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"validatorUrl": None, "persistAuthorization": False},
}

# --- Static files, uploads ----------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", str(STEPMARK_HOME / "static"))
STATICFILES_DIRS = [BASE_DIR / "frontend_templates" / "static"]
MEDIA_ROOT = env.str("MEDIA_ROOT", str(STEPMARK_HOME / "files"))
# STATIC_COLLECTED=1 after collectstatic: served from STATIC_ROOT, compressed. Names stay without a hash, for JavaScript
# modules import each other by name.
STATIC_COLLECTED = env.bool("STATIC_COLLECTED", False)
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"
        if STATIC_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Security -----------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, "'inline-speculation-rules'"],  # which name pages to fetch, and run nothing
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 3600) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None

# --- Language, time, logs -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
LOGGING = logs.configured(env.str("LOG_LEVEL", "WARNING"), env.str("LOG_FORMAT", "text"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True

# --- Stepmark -----------------------------------------------------------------------------------------------------
# A run whose worker has not been heard of for this long is given to another one.
RUN_STALE_SECONDS = env.int("RUN_STALE_SECONDS", 15)
# A trace whose root span has not come becomes a trajectory after this long without a new span.
TRACE_QUIET_SECONDS = env.int("TRACE_QUIET_SECONDS", 30)
# Spans that came in are deleted so many days after the last of their trace; its trajectory's original has them.
TRACE_KEEP_DAYS = env.int("TRACE_KEEP_DAYS", 30)
# One request with spans, unpacked.
TRACES_MAX_BYTES = 32 * 1024 * 1024
# What one import may fetch from the Hugging Face hub, as it lies there.
HUB_MAX_BYTES = env.int("HUB_MAX_BYTES", 10_000_000_000)
# The embedded scorer learns again by itself once so many passes were handed in; 0: only when it is told to.
EMBEDDED_RETRAIN_EVERY = env.int("EMBEDDED_RETRAIN_EVERY", 25)
# Where the models of scorers may lie that are added by `scorers add`.
MODELS_DIRS = env.list("MODELS_DIRS", default=[])
# What puts together what a judge would be asked, to be looked at. By name: only who looks loads it; it loads no torch.
JUDGE_PREVIEW = "models_service.previewing.preview"
# What puts together the rows that a judge is fine-tuned on, for exports and their preview. By name, likewise.
JUDGE_ROWS = "models_service.judge_rows.Teacher"
# Process reward models of this deployment: name → {"title", "class", "options"}. `embedded` needs no weights.
SCORERS = {
    "embedded": {"title": "Embedded default", "class": "models_service.scorers.embedded.EmbeddedScorer", "options": {}},
    **scorers.read(env.str("SCORERS", "")),
}
