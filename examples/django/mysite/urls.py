from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import include, path
from django.views.generic import TemplateView

page = TemplateView.as_view(template_name="chat.html")

urlpatterns = [
    path("", login_required(page)),
    path("", include("chatkit_django.urls")),
    path("admin/", admin.site.urls),
]
