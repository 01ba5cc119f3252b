"""The Django project that real servers serve in processes of their own; see :mod:`tests.faults.served`."""

from __future__ import annotations

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django.settings"

import django

django.setup()

from chatkit_django import DjangoStore, chatkit_urls
from django.db import connections

from chatkit_asgi import Options
from tests.django import urls
from tests.faults.served import CHECKPOINT, GRACE, Endless

connections.settings["default"]["NAME"] = os.environ["CHATKIT_TEST_DB"]
options = Options(shutdown_grace=GRACE, checkpoint_interval=CHECKPOINT)
urls.urlpatterns += chatkit_urls(
    Endless(DjangoStore(owner=None), options=options), context=lambda _: None
)

from django.core.asgi import get_asgi_application

application = get_asgi_application()
