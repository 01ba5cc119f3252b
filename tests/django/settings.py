"""The settings of the project that the tests serve: what ``startproject`` writes, and ChatKit."""

from __future__ import annotations

import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="chatkit-django-"))
"""Of this process; removed by the tests' fixture."""

SECRET_KEY = "not a secret"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.django.urls"
ASGI_APPLICATION = "tests.django.asgi.application"
AUTH_USER_MODEL = "people.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "tests.django.people",
    "chatkit_django",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(FOLDER / "site.db"),
        "OPTIONS": {"init_command": "PRAGMA synchronous=OFF"},  # nobody pulls the plug of a test
    }
}
# For the middleware that tests/stacks/test_frameworks.py adds; it reads them at each request.
CORS_ALLOWED_ORIGINS = ["https://page.test"]
CORS_ALLOW_METHODS = ["POST", "PUT"]
CORS_EXPOSE_HEADERS = ["x-request-id"]
STATIC_URL = "static/"
LOGGING_CONFIG = None
