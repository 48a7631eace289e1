"""Every setting, in sections; each comes from the environment variable of its name.

A secret may be given as NAME_FILE, the path of a file that holds it.
"""

import os
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from . import installed, local, postgres
from .content_policy import CONTENT_SECURITY_POLICY  # noqa: F401
from .environment import Environment
from .files import DEFAULT_TYPES, storages_in
from .log_lines import logging_from
from .passwords import AUTH_PASSWORD_VALIDATORS  # noqa: F401
from .rest import REST_FRAMEWORK, SPECTACULAR_SETTINGS  # noqa: F401

# False for what only delivers, wakes those that do, or receives what they send.
LOADS_PAGES = sys.argv[1:2] not in (["worker"], ["clock"], ["receiver"])
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Environment()

# --- Core

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Fernet keys for the secrets in the database: the first encrypts, all of them decrypt.
# To change the key put a new one in front and run `manage.py rotate_secrets`.
SECRETS_KEYS = [key.strip() for key in env.list("SECRETS_KEYS", default=[])]
# The keys that are not set, so that this machine has made its own.
LOCAL_KEYS = [
    name
    for name, given in (("SECRET_KEY", SECRET_KEY), ("SECRETS_KEYS", SECRETS_KEYS))
    if not given
]
SECRET_KEY = SECRET_KEY or local.secret_key(VAR_DIR)
SECRETS_KEYS = SECRETS_KEYS or [local.secrets_key(VAR_DIR)]
# Where people reach the admin; ((Ticket URL)) begins with it.
BASE_URL = env.str("BASE_URL", default="http://localhost:8000").rstrip("/")

INSTALLED_APPS = installed.apps(with_pages=LOADS_PAGES)
MIDDLEWARE = [
    "centerhook.health.probes.probes",
    # Before all that is there for people.
    "centerhook.middleware.calls_from_outside",
    "centerhook.middleware.page_headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "centerhook.middleware.read_only",
    "centerhook.middleware.upload_limit",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Before whatever may ask the database.
    "centerhook.query_deadline.QueryDeadline",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    # Right after those that identify the user: nothing may see half a sign-in.
    "centerhook.sign_in.second_factor.SecondFactorMiddleware",
    "centerhook.middleware.audited",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "centerhook.urls"
WSGI_APPLICATION = "centerhook.wsgi.application"
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
            ],
        },
    },
]
# Fields of forms may have templates of ours.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = False
FORMAT_MODULE_PATH = ["centerhook.formats"]

# --- Database: the truth. SQLite unless DATABASE_URL is set.

DATABASES = {
    "default": env.db_url(
        "DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'centerhook.sqlite3'}"
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    # A write transaction takes its lock at BEGIN, so it can wait instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, since worker processes of a test share it.
    test_name = env.str("TEST_DATABASE", default=str(VAR_DIR / "test.sqlite3"))
    DATABASES["default"]["TEST"] = {"NAME": test_name}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    postgres.prepare(DATABASES["default"])
# normal, paused or read-only; where it is set, no page changes it.
MODE = env.str("MODE", default="")
# Seconds in which the database has to respond to a page or an API request.
QUERY_DEADLINE = env.float("QUERY_DEADLINE", default=30.0)

# --- Queue: it wakes the workers. An embedded server until REDIS_URL says otherwise.

REDIS_EMBEDDED = "REDIS_URL" not in os.environ
REDIS_URL = env.str("REDIS_URL", default=local.redis_url(VAR_DIR))
RQ_QUEUES = {"deliveries": {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 600}}
RQ = {"COMMIT_MODE": "auto"}
RQ_SHOW_ADMIN_LINK = False

# --- Deliveries. Times are in seconds, sizes in bytes.

CONNECT_TIMEOUT = env.float("CONNECT_TIMEOUT", default=5.0)
READ_TIMEOUT = env.float("READ_TIMEOUT", default=15.0)
REQUEST_DEADLINE = env.float("REQUEST_DEADLINE", default=30.0)
REQUEST_MAX_BYTES = env.int("REQUEST_MAX_BYTES", default=1_000_000)
MULTIPART_MAX_BYTES = env.int("MULTIPART_MAX_BYTES", default=50_000_000)
# How much of a response is logged, and is read where it has return values.
RESPONSE_LOG_BYTES = env.int("RESPONSE_LOG_BYTES", default=65_536)
RESPONSE_MAX_BYTES = env.int("RESPONSE_MAX_BYTES", default=1_048_576)
# How long a worker that has gone silent keeps its deliveries.
LEASE_SECONDS = env.float("LEASE_SECONDS", default=60.0)
BATCH_SIZE = env.int("BATCH_SIZE", default=500)
TRIGGER_MAX_DEPTH = env.int("TRIGGER_MAX_DEPTH", default=10)
# Requests on the wire at once: from one worker to all destinations, and to one of them.
WORKER_THREADS = env.int("WORKER_THREADS", default=256)
DESTINATION_CONCURRENCY = env.int("DESTINATION_CONCURRENCY", default=96)
# Inside addresses that deliveries may reach: networks and host names.
ALLOWED_NETWORKS = env.list("ALLOWED_NETWORKS", default=[])
ALLOWED_DESTINATION_HOSTS = env.list("ALLOWED_DESTINATION_HOSTS", default=[])

# --- Calls from outside; the rate is one caller's, to one listener in one process

INBOUND_MAX_BYTES = env.int("INBOUND_MAX_BYTES", default=1_000_000)
INBOUND_PER_SECOND = env.int("INBOUND_PER_SECOND", default=300)
API_PER_MINUTE = env.int("API_PER_MINUTE", default=1_200)

# --- What goes by age: docs/retention.md. In days; None is for ever.

BODIES_KEPT_DAYS = env.days("BODIES_KEPT_DAYS", default=90)
ATTEMPTS_KEPT_DAYS = env.days("ATTEMPTS_KEPT_DAYS", default=365)
DELIVERIES_KEPT_DAYS = env.days("DELIVERIES_KEPT_DAYS", default=730)
INBOUND_KEPT_DAYS = env.days("INBOUND_KEPT_DAYS", default=30)
AUDIT_KEPT_DAYS = env.days("AUDIT_KEPT_DAYS", default=None)

# --- E-mail, for notices: smtp://user:password@host:587; to the log when not set

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10  # A notice about a key is sent by the request that uses it.
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="centerhook@localhost")

# --- Signing in: docs/sign-in.md

# How many proxies of ours a request passes; what they say of the client is believed.
PROXY_COUNT = env.int("PROXY_COUNT", default=0)
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses those locked out
    "django.contrib.auth.backends.ModelBackend",
    "feedback.access.actors.RoleBackend",
]

SIGN_IN_TRIES = env.int("SIGN_IN_TRIES", default=5)
SIGN_IN_LOCK_MINUTES = env.float("SIGN_IN_LOCK_MINUTES", default=15.0)
AXES_FAILURE_LIMIT = SIGN_IN_TRIES
AXES_COOLOFF_TIME = timedelta(minutes=SIGN_IN_LOCK_MINUTES)
# Both together: with the name alone strangers could lock people out, with the address
# alone one person would lock out the whole office behind it.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "centerhook.sign_in.lockout.address_of"
AXES_WHITELIST_CALLABLE = "centerhook.sign_in.lockout.has_no_name"
AXES_LOCKOUT_CALLABLE = "centerhook.sign_in.lockout.locked_page"
# A try during the lock is not counted, so that the page can say how long it lasts.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# The log names who is locked out, where operators look for it.
AXES_SENSITIVE_PARAMETERS: list[str] = []

REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=False)
OTP_TOTP_ISSUER = "CenterHook"

SHORT_SESSIONS = env.bool("SHORT_SESSIONS", default=False)
SESSION_HOURS = env.float("SESSION_HOURS", default=0.5 if SHORT_SESSIONS else 336)
SESSION_COOKIE_AGE = int(SESSION_HOURS * 3600)
SESSION_EXPIRE_AT_BROWSER_CLOSE = SESSION_SAVE_EVERY_REQUEST = SHORT_SESSIONS

# OpenID Connect: on when there is an issuer and requirements-oidc.txt is installed.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
SINGLE_SIGN_ON = bool(OIDC_ISSUER and find_spec("mozilla_django_oidc"))
OIDC_NAME = env.str("OIDC_NAME", default="single sign-on")
OIDC_OP_AUTHORIZATION_ENDPOINT = env.str("OIDC_OP_AUTHORIZATION_ENDPOINT", default="")
OIDC_OP_TOKEN_ENDPOINT = env.str("OIDC_OP_TOKEN_ENDPOINT", default="")
OIDC_OP_USER_ENDPOINT = env.str("OIDC_OP_USER_ENDPOINT", default="")
OIDC_OP_JWKS_ENDPOINT = env.str("OIDC_OP_JWKS_ENDPOINT", default="")
OIDC_RP_CLIENT_ID = env.str("OIDC_RP_CLIENT_ID", default="")
OIDC_RP_CLIENT_SECRET = env.str("OIDC_RP_CLIENT_SECRET", default="")
OIDC_RP_SIGN_ALGO = env.str("OIDC_RP_SIGN_ALGO", default="RS256")
OIDC_CREATE_USER = env.bool("OIDC_CREATE_USER", default=False)
OIDC_USE_PKCE = True
OIDC_TIMEOUT = 10
if SINGLE_SIGN_ON:
    AUTHENTICATION_BACKENDS.append("centerhook.sign_in.single_sign_on.ProviderBackend")

# --- Pages and the log

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Static files are served from the apps too, so that no command must run before.
WHITENOISE_USE_FINDERS = True

# --- What browsers may do, and what is accepted from them

# TLS ends at the proxy, so only BASE_URL says whether people use it.
HAS_TLS = BASE_URL.startswith("https://") and not DEBUG
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HAS_TLS)
if PROXY_COUNT:  # Otherwise anybody could write that header.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.int(
    "SECURE_HSTS_SECONDS", default=31_536_000 if HAS_TLS else 0
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool(
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False
)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HAS_TLS
SESSION_COOKIE_NAME = "__Host-sessionid" if HAS_TLS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HAS_TLS else "csrftoken"
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
# The limits of a whole request with its files, and of the part kept in memory.
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=20_000_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = min(UPLOAD_MAX_BYTES, 5_000_000)
DATA_UPLOAD_MAX_NUMBER_FILES = 20
# Files on tickets. Several machines need a folder that all of them see.
ATTACHMENTS_DIR = env.str("ATTACHMENTS_DIR", default=str(VAR_DIR / "attachments"))
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_BYTES", default=10_485_760)
ATTACHMENTS_PER_TICKET = env.int("ATTACHMENTS_PER_TICKET", default=20)
ATTACHMENT_TYPES = env.list("ATTACHMENT_TYPES", default=DEFAULT_TYPES)
ATTACHMENT_SCAN_COMMAND = env.list("ATTACHMENT_SCAN_COMMAND", default=[])
PACKAGES_DIR = env.str("PACKAGES_DIR", default=str(VAR_DIR / "packages"))
# The limit of one file of a data package, before it is compressed.
PACKAGE_MAX_BYTES = env.int("PACKAGE_MAX_BYTES", default=2_147_483_648)
STORAGES = storages_in(attachments=ATTACHMENTS_DIR, packages=PACKAGES_DIR)
# A feedback type's form has some twelve fields for each question.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

LOGGING = logging_from(
    env.str("LOG_LEVEL", default="INFO"), env.str("LOG_FORMAT", default="line")
)
# Who may read /metrics: with the token, or from these addresses. Nobody else.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_NETWORKS = env.list("METRICS_NETWORKS", default=[])
# Where faults are reported to; needs requirements-sentry.txt.
SENTRY_DSN = env.str("SENTRY_DSN", default="")
