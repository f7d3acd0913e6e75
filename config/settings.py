"""One settings module for every place the practice runs; the environment decides.

Nothing here has a secret in it. Without DATABASE_URL and REDIS_URL the embedded servers of
``config.services`` are used, so that a clone runs before anybody has installed a database.
"""

from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

DEMO = env.bool("DEMO", default=False)
DEBUG = env.bool("DEBUG", default=False)
TESTING = env.bool("STEADYBACK_TESTING", default=False)
PRODUCTION = not (DEMO or DEBUG or TESTING)
# A default key exists only where no patient does.
SECRET_KEY = env("SECRET_KEY", default="" if PRODUCTION else "only-for-trying-out")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "Set SECRET_KEY to a long random text, or DEMO=1 to work with the practice of `make demo`."
    )
BASE_URL = env("BASE_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", urlsplit(BASE_URL).hostname]
)
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "clinic",
    "patients",
    "programs",
    "config.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "phonenumber_field",
    "pgtrigger",
    "pghistory",
    "csp",
    "anymail",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "programs.portal_unsaved.advice_whatever_happens",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "clinic.language.speak_language",
    "django.middleware.common.CommonMiddleware",
    "clinic.query.without_nul",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "programs.device.tell_device",
    "programs.replaying.take_replays",
    "pghistory.middleware.HistoryMiddleware",
    "patients.page_look.remember_look",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
                "clinic.context.practice",
                "patients.page_look.look",
            ],
        },
    }
]

# --- the engines -----------------------------------------------------------------------------


def _engine(variable: str, embedded: str) -> str:
    """Address of an engine from the environment, else of the embedded one (started if needed)."""
    if env(variable, default=""):
        return env(variable)
    from config import services

    return getattr(services, embedded)()


DATABASES = {"default": env.db_url_config(_engine("DATABASE_URL", "database_url"))}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Seconds until a database that does not answer is taken for away: somebody may wait for help.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
# Statements are prepared where the code asks for it (clinic.written_once, clinic.prepared), however
# seldom they ran; Django would switch that off.
DATABASES["default"]["OPTIONS"].setdefault("prepare_threshold", 1_000_000)
REDIS_URL = _engine("REDIS_URL", "redis_url")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL},
    # Parts of pages that say the same to everybody, kept by each process ({% cache %}).
    "template_fragments": {
        "BACKEND": "django.core.cache.backends.dummy.DummyCache"
        if DEBUG
        else "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "template_fragments",
        "OPTIONS": {"MAX_ENTRIES": 1_000},
    },
}

# --- people and sign-in ----------------------------------------------------------------------

AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_request_login_code"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "clinic.sign_in.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# How often codes are asked for from one place, and for one address ("key").
# The public form of enquiries is counted by caller, by the address given, and by network.
ACCOUNT_RATE_LIMITS = {
    "request_login_code": "20/m/ip,3/m/key,10/h/key",
    "enquire": "6/m/ip,30/h/ip,2/h/key,4/d/key",
    "enquire_network": "60/h/key",
}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_FORMS = {
    "login": "clinic.sign_in.StaffLoginForm",
    "reset_password": "clinic.sign_in.StaffResetForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_ADAPTER = "clinic.sign_in.SecondFactor"
# Staff read other people's health records: a second factor is asked for, except where there
# are no real records.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=PRODUCTION)

# --- hardening -------------------------------------------------------------------------------

SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if SECURE else 0
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
# Limits count by the caller's own address: the last that the proxy wrote down, and never one that
# somebody without a proxy in front of us made up.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- words, times, files ---------------------------------------------------------------------

LANGUAGE_CODE = "en"
# What patients can be written to in; each has its file in clinic/messaging/words.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
# The words of the pages; which languages those have says clinic.language.
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
# Shown when neither database nor cache can say a site's own number.
EMERGENCY_NUMBER = env("EMERGENCY_NUMBER", default="112")
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "config.static.Static"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING
SILENCED_SYSTEM_CHECKS = []

# --- messages --------------------------------------------------------------------------------

EMAIL_BACKEND = env("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = env("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)
# Connections to the mail server that one sending process keeps open at most.
EMAIL_CONNECTIONS = env.int("EMAIL_CONNECTIONS", default=4)
# A sender that has not said for so many seconds that it lives is taken for dead.
SENDER_LEASE_S = env.int("SENDER_LEASE_S", default=30)
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Steadyback <reminders@localhost>")
# What anymail needs of the practice's e-mail service, such as {"MAILGUN_API_KEY": "..."}.
try:
    ANYMAIL = env.json("ANYMAIL", default={})
except ValueError:
    raise ImproperlyConfigured(
        'ANYMAIL must be a JSON object, such as {"MAILGUN_API_KEY": "..."}.'
    ) from None
# "name:password" that the mail service puts into the address of its calls to us; without one, or
# a seal of the service's own, what it says of our mails is refused.
ANYMAIL_WEBHOOK_SECRET = env.list("ANYMAIL_WEBHOOK_SECRET", default=[])
# "twilio", "http", "demo", a class of the practice's own ("package.module.Class"), or empty: then
# a text fails openly with its reason instead of vanishing.
SMS_GATEWAY = env("SMS_GATEWAY", default="")
# Texts that one sending process has on the wire at once.
SMS_IN_FLIGHT = env.int("SMS_IN_FLIGHT", default=20)
TWILIO_ACCOUNT_SID = env("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env("TWILIO_AUTH_TOKEN", default="")
TWILIO_FROM = env("TWILIO_FROM", default="")
TWILIO_API_BASE = env("TWILIO_API_BASE", default="")
# How the plain HTTP carrier is asked and what it answers (docs/carriers.md).
SMS_HTTP_URL = env("SMS_HTTP_URL", default="")
SMS_HTTP_METHOD = env("SMS_HTTP_METHOD", default="POST")
SMS_HTTP_HEADERS = env("SMS_HTTP_HEADERS", default="{}")
SMS_HTTP_FORMAT = env("SMS_HTTP_FORMAT", default="json")
SMS_HTTP_FIELDS = env("SMS_HTTP_FIELDS", default="")
SMS_HTTP_FROM = env("SMS_HTTP_FROM", default="")
SMS_HTTP_SUCCESS = env("SMS_HTTP_SUCCESS", default="200,201,202")
SMS_HTTP_REFERENCE = env("SMS_HTTP_REFERENCE", default="")
SMS_HTTP_ERROR = env("SMS_HTTP_ERROR", default="")
SMS_HTTP_PERMANENT = env("SMS_HTTP_PERMANENT", default="")
SMS_HTTP_DEAD_NUMBER = env("SMS_HTTP_DEAD_NUMBER", default="")
SMS_HTTP_STOPPED = env("SMS_HTTP_STOPPED", default="")
# What the plain HTTP carrier's calls to us are signed with, and how it names their fields.
SMS_HTTP_SECRET = env("SMS_HTTP_SECRET", default="")
SMS_HTTP_SIGNATURE_HEADER = env("SMS_HTTP_SIGNATURE_HEADER", default="X-Signature")
SMS_HTTP_IN_REFERENCE = env("SMS_HTTP_IN_REFERENCE", default="id")
SMS_HTTP_IN_FROM = env("SMS_HTTP_IN_FROM", default="from")
SMS_HTTP_IN_TEXT = env("SMS_HTTP_IN_TEXT", default="text")
SMS_HTTP_STATUS_FIELD = env("SMS_HTTP_STATUS_FIELD", default="status")
SMS_HTTP_STATUS_CODE = env("SMS_HTTP_STATUS_CODE", default="code")
SMS_HTTP_STATUS_REFERENCE = env("SMS_HTTP_STATUS_REFERENCE", default="id")
# Its words to ours, such as "DELIVRD=delivered,EXPIRED=undelivered"; see docs/receipts.md.
SMS_HTTP_STATUS_WORDS = {
    word.lower(): event for word, event in env.dict("SMS_HTTP_STATUS_WORDS", default={}).items()
}
DEMO_SMTP_PORT = env.int("DEMO_SMTP_PORT", default=8025)
PHONENUMBER_DB_FORMAT = "E164"
PHONENUMBER_DEFAULT_REGION = env("PHONE_REGION", default="GB")

# --- Celery: tasks are only wake-ups, the truth is in PostgreSQL ------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(BASE_DIR / "var" / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "plan routine reminders": {"task": "programs.tasks.plan_reminders", "schedule": 30.0},
    "look again at every schedule": {
        "task": "programs.tasks.reconcile_reminders",
        "schedule": 3600.0,
    },
    "send what is due": {"task": "clinic.tasks.send_due", "schedule": 10.0},
    "watch alerts": {"task": "clinic.tasks.watch_alerts", "schedule": 15.0},
    "sweep": {"task": "clinic.tasks.sweep", "schedule": 60.0},
    "settle unknown": {"task": "clinic.tasks.settle_unknown", "schedule": 180.0},
    "heartbeat": {"task": "clinic.tasks.heartbeat", "schedule": 15.0},
    "keep the caseload": {"task": "programs.tasks.keep_caseload", "schedule": 5.0},
    "look again at every program": {"task": "programs.tasks.consider_all", "schedule": 3600.0},
    "forget old enquiries": {"task": "clinic.tasks.forget_enquiries", "schedule": 21600.0},
    "forget old imports": {"task": "patients.tasks.forget_imports", "schedule": 3600.0},
}

# --- API -------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["programs.api_parsing.CarefulJSONParser"],
    "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT,
    "EXCEPTION_HANDLER": "programs.api.words_for_errors",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {"anon": "60/min", "user": "600/min"},
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Steadyback",
    "DESCRIPTION": "A patient's own routine, sessions and check-ins.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
}

# --- history ---------------------------------------------------------------------------------

PGHISTORY_APPEND_ONLY = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.WithoutWords",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # In place of Django's own handlers: an error report by mail would hold the answers sent.
    "loggers": {"django": {"handlers": [], "level": "INFO"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
}
