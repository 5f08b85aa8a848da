"""Every setting of the product, read from the environment once; a bad value stops the start."""

import sys
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from marketplace.broker import broker_timeouts, broker_tls, broker_url
from marketplace.environment import (
    read_bool,
    read_choice,
    read_database,
    read_hosts,
    read_networks,
    read_origins,
    read_positive_int,
    read_public_host,
    read_rate,
    read_text,
    read_url,
)
from marketplace.hosts import is_loopback

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

# --- The base -------------------------------------------------------------------------------

BUILT_IN_SECRET_KEY = "built-in-key-for-development-only-never-use-it-on-a-public-host"  # noqa: S105 refused below

ALLOWED_HOSTS = read_hosts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
# For development, and so only where nobody else is served.
DEBUG = read_bool("DEBUG", default=all(is_loopback(host) for host in ALLOWED_HOSTS))
SECRET_KEY = read_text("SECRET_KEY", default=BUILT_IN_SECRET_KEY)
if not DEBUG and SECRET_KEY == BUILT_IN_SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY must be set when DEBUG is false.")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY must have 32 characters or more.")

ALLOWED_ORIGINS = read_origins("ALLOWED_ORIGINS")
PUBLIC_HOST = read_public_host("PUBLIC_HOST", allowed=ALLOWED_HOSTS, needed=not DEBUG)
TRUSTED_PROXIES = read_networks("TRUSTED_PROXIES")
METRICS_ADDRESSES = read_networks("METRICS_ADDRESSES")
STREAMS_PER_USER = read_positive_int("STREAMS_PER_USER", default=10)
STREAMS_PER_ADDRESS = read_positive_int("STREAMS_PER_ADDRESS", default=100)
REDIS_URL = read_url("REDIS_URL", schemes={"redis", "rediss", "unix"})
AMQP_URL = read_url("AMQP_URL", schemes={"amqp", "amqps"})
LOG_FORMAT = read_choice("LOG_FORMAT", choices={"console", "json"}, default="console")

# Its runserver serves WebSockets, too. Anywhere else it would load Twisted for nothing: 15 MB, and
# a third of the time that a server takes to start.
RUNSERVER = ["daphne"] if sys.argv[1:2] == ["runserver"] else []
INSTALLED_APPS = [
    *RUNSERVER,  # before staticfiles
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "rest_framework",
    "marketplace.apps.MarketplaceConfig",
    "marketplace.accounts",
    "marketplace.dashboards",
    "realtime",
    "products",
    "products.imports",
    "products.suggestions",
    "products.availability",
    "orders",
    "securechat",
]

MIDDLEWARE = [
    "marketplace.rest.middleware.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "marketplace.files.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "marketplace.rest.middleware.PrivateAnswersMiddleware",
    "marketplace.rest.middleware.ApiErrorMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "marketplace.accounts.middleware.LoginMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "realtime.middleware.EventPositionMiddleware",
]

ROOT_URLCONF = "marketplace.urls"
ASGI_APPLICATION = "marketplace.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "marketplace" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "marketplace.accounts.middleware.login_id",
                "realtime.middleware.event_position",
            ],
        },
    }
]

# --- Data -----------------------------------------------------------------------------------

DATABASES = {
    "default": read_database("DATABASE_URL", default=f"sqlite:///{VAR_DIR}/marketplace.sqlite3")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    VAR_DIR.mkdir(exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        # SQLite has no FOR UPDATE: a transaction takes the write lock when it begins.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            # Only counts of writes stand in it: a frozen Redis may not hold a shop up.
            "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25},
        }
        if REDIS_URL
        else {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    )
}
CHANNEL_LAYERS = {
    "default": (
        {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                # One that is frozen, or gone without a word, must not hold the relay for ever.
                "hosts": [{"address": REDIS_URL, "socket_timeout": 2, "socket_connect_timeout": 1}],
                "prefix": "marketplace",
            },
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

# --- People ---------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "marketplace" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- REST -----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "marketplace.accounts.authentication.BearerAuthentication",
        "marketplace.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["marketplace.rest.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["marketplace.rest.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "marketplace.rest.pagination.Pagination",
    "URL_FORMAT_OVERRIDE": None,  # a parameter like any other: there is JSON only
    "DEFAULT_METADATA_CLASS": None,  # /api/schema describes the requests, OPTIONS does not
    "DEFAULT_THROTTLE_CLASSES": ["marketplace.rest.throttling.WriteThrottle"],
    "DEFAULT_THROTTLE_RATES": {"writes": read_rate("WRITES_PER_USER", default="300/min")},
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "marketplace.rest.handling.ExceptionHandler",
    "EXCEPTION_FORMATTER_CLASS": "marketplace.rest.handling.ExceptionFormatter",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "ALLOWED_ERROR_STATUS_CODES": ["default"],
    "ERROR_SCHEMAS": {"default": "marketplace.rest.schema.ErrorSerializer"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Marketplace",
    "DESCRIPTION": "Products, orders and their live events.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api",
    "OAS_VERSION": "3.1.0",  # its schemas are JSON Schema, as those of the structs are
    "ENFORCE_NON_BLANK_FIELDS": True,
    "POSTPROCESSING_HOOKS": [],  # enumerations stand where they are used
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
}
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
CSRF_FAILURE_VIEW = "marketplace.rest.errors.csrf_failure"

# --- The browser ----------------------------------------------------------------------------

CORS_ALLOWED_ORIGINS = ALLOWED_ORIGINS
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_CREDENTIALS = False  # Bearer or ticket only, never cookies
CORS_EXPOSE_HEADERS = ["Event-Position", "Idempotent-Replayed", "Retry-After"]
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "last-event-id",
]  # fmt: skip
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "https:", "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Cookies are marked Secure wherever a proxy that speaks TLS stands in front.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = read_bool("SECURE_COOKIES", default=not DEBUG)
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "marketplace" / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
# What sellers hand in to be imported, while it is. Servers and workers share this folder.
IMPORTS_ROOT = Path(read_text("IMPORTS_DIR", default=str(VAR_DIR / "imports")))
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- Realtime -------------------------------------------------------------------------------

# The time over which `closing` is spread when a server stops; with few streams it is shorter.
DRAIN_SECONDS = read_positive_int("DRAIN_SECONDS", default=5)
REALTIME_RETENTION = timedelta(hours=72)
REALTIME_RETENTION_EVENTS = 1_000_000
# What a reader with a stored cursor (the AMQP bridge) may hold back, beyond both.
REALTIME_RETENTION_HARD_EVENTS = 5_000_000

# --- Notifications --------------------------------------------------------------------------

# How long one is kept after it was read, and how many a user has at most.
NOTIFICATION_RETENTION = timedelta(days=90)
NOTIFICATIONS_PER_USER = 1_000

# --- Imports --------------------------------------------------------------------------------

# Where Celery's workers get their tasks; without it a thread of the server does them.
CELERY_BROKER_URL = broker_url(REDIS_URL or AMQP_URL)
CELERY_BROKER_USE_SSL = broker_tls(CELERY_BROKER_URL)
# A broker that is frozen must hold up neither who sends nor who stops.
CELERY_BROKER_TRANSPORT_OPTIONS = broker_timeouts(CELERY_BROKER_URL)
# The broker may be others', too, who have a queue of Celery's usual name.
CELERY_TASK_DEFAULT_QUEUE = "marketplace-imports"
CELERY_TASK_IGNORE_RESULT = True
# Nothing waits behind a task that takes a minute; one that comes twice does nothing.
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# How long an import that is over is kept, with its bad rows.
IMPORT_RETENTION = timedelta(days=90)

# --- Secure chat ----------------------------------------------------------------------------

# How long the server keeps the ciphertext of what has been delivered.
CHAT_RETENTION = timedelta(days=30)

# --- Logging --------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "console": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "marketplace.logs.JsonFormatter"},
    },
    "filters": {
        "redact": {"()": "marketplace.logs.RedactSecrets"},
        "shorten": {"()": "marketplace.logs.ShortenRefusals"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["redact", "shorten"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "daphne": {"level": "WARNING"},
        # Without the handlers that Django gives them: those write secrets in URLs as they are.
        "django": {"level": "INFO"},
        "django.server": {"level": "INFO"},
        # One line for a refused request, by the exception's own logger, is enough.
        "django.request": {"level": "ERROR"},
    },
}
