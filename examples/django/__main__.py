"""One command: ``python examples/django``. Makes the database and a user, and serves at http://127.0.0.1:8000."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")


def prepare() -> None:
    """Migrate, and let ada in with the password ada."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("check", databases=["default"])
    call_command("migrate", verbosity=0)
    if not User.objects.filter(username="ada").exists():
        User.objects.create_superuser("ada", password="ada")


if __name__ == "__main__":
    import uvicorn

    prepare()
    print("Sign in as ada, password ada: http://127.0.0.1:8000/ (the admin: /admin/)")
    uvicorn.run("mysite.asgi:application", lifespan="off", log_level="warning")
