"""Every setting, in sections; each comes from the environment variable of its name.

A secret may be given as NAME_FILE, the path of a file that holds it.
"""

import base64
import hashlib
import os
import tempfile
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.FileAwareEnv()


def _local_secret_key() -> str:
    """A key of this machine's own, so that the embedded defaults are safe to run."""
    VAR_DIR.mkdir(exist_ok=True)
    path = VAR_DIR / "secret-key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text()


def _local_secrets_key() -> str:
    """As the secret key. Whole at once: what it encrypts is lost with it, so two
    processes that start together must not make two."""
    VAR_DIR.mkdir(exist_ok=True)
    path = VAR_DIR / "secrets-key"
    if not path.exists():
        descriptor, new = tempfile.mkstemp(dir=VAR_DIR)  # mode 0600
        os.write(descriptor, base64.urlsafe_b64encode(os.urandom(32)))
        os.close(descriptor)
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(new)
    return path.read_text()


def _local_redis_url() -> str:
    """The embedded server's socket, as short as a socket's path has to be (108)."""
    path = VAR_DIR / "valkey.sock"
    if len(str(path)) > 100:
        digest = hashlib.sha256(str(VAR_DIR).encode()).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"centerhook-{os.getuid()}-{digest}.sock"
    return f"unix://{path}"


# --- Core

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Fernet keys for the secrets in the database: the first encrypts, all of them decrypt.
# To change the key put a new one in front and run `manage.py rotate_secrets`.
SECRETS_KEYS = [key.strip() for key in env.list("SECRETS_KEYS", default=[])]
# The keys that nobody gave, so that this machine has made its own.
LOCAL_KEYS = [
    name
    for name, given in (("SECRET_KEY", SECRET_KEY), ("SECRETS_KEYS", SECRETS_KEYS))
    if not given
]
SECRET_KEY = SECRET_KEY or _local_secret_key()
SECRETS_KEYS = SECRETS_KEYS or [_local_secrets_key()]
# Where people reach the admin; ((Ticket URL)) begins with it.
BASE_URL = env.str("BASE_URL", default="http://localhost:8000").rstrip("/")

INSTALLED_APPS = [
    "centerhook.apps.CenterHookAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_rq",
    "centerhook.apps.CenterHookConfig",
    "feedback",
    "logs",
    "macros",
]
MIDDLEWARE = [
    "centerhook.middleware.page_headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "centerhook.middleware.upload_limit",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = False

# --- Database: the truth. SQLite until DATABASE_URL says otherwise.

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
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# --- Queue: only the alarm bell. An embedded server until REDIS_URL says otherwise.

REDIS_EMBEDDED = "REDIS_URL" not in os.environ
REDIS_URL = env.str("REDIS_URL", default=_local_redis_url())
RQ_QUEUES = {"deliveries": {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 600}}
RQ = {"COMMIT_MODE": "auto"}
RQ_SHOW_ADMIN_LINK = False

# --- Deliveries. Times are in seconds, sizes in bytes.

CONNECT_TIMEOUT = env.float("CONNECT_TIMEOUT", default=5.0)
READ_TIMEOUT = env.float("READ_TIMEOUT", default=15.0)
REQUEST_DEADLINE = env.float("REQUEST_DEADLINE", default=30.0)
REQUEST_MAX_BYTES = env.int("REQUEST_MAX_BYTES", default=1_000_000)
RESPONSE_MAX_BYTES = env.int("RESPONSE_MAX_BYTES", default=65_536)
# How long a worker that has gone silent keeps its deliveries.
LEASE_SECONDS = env.float("LEASE_SECONDS", default=60.0)
BATCH_SIZE = env.int("BATCH_SIZE", default=500)
# Requests on the wire at once: from one worker to all targets, and to one of them.
WORKER_THREADS = env.int("WORKER_THREADS", default=256)
DESTINATION_CONCURRENCY = env.int("DESTINATION_CONCURRENCY", default=96)
# Inside addresses that deliveries may reach: networks and host names.
ALLOWED_NETWORKS = env.list("ALLOWED_NETWORKS", default=[])
ALLOWED_TARGET_HOSTS = env.list("ALLOWED_TARGET_HOSTS", default=[])

# --- E-mail, for notices: smtp://user:password@host:587; to the log when not set

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="centerhook@localhost")

# --- People and pages

# How many proxies of ours a request passes: whom each was called by is believed.
PROXY_COUNT = env.int("PROXY_COUNT", default=0)
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "feedback.access.RoleBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Static files are served from the apps too, so that no command must run before.
WHITENOISE_USE_FINDERS = True

# --- What browsers are told, and what is taken from them

# TLS ends at the proxy, so only BASE_URL can tell whether people come over it.
HAS_TLS = BASE_URL.startswith("https://") and not DEBUG
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HAS_TLS)
if PROXY_COUNT:  # Else anybody could write that header.
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
# The same for every page. A form that ends at another origin, even by a redirect,
# needs that origin in form-action.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
# Of a whole request, files and all; and of what of it is kept in memory.
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=20_000_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = min(UPLOAD_MAX_BYTES, 5_000_000)
DATA_UPLOAD_MAX_NUMBER_FILES = 20
# A feedback type's form has some twelve fields for each question.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"rq.worker": {"level": "WARNING"}},
}
