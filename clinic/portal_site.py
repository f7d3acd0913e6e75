"""The clinician portal: our own admin site, one door for all staff.

Rooms above register their pages here, so that this room needs to know none of them:
``register_home`` takes the view of the first page, ``register_page`` any other.
"""

import functools
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from clinic.models import Site
from clinic.roles import May, abilities, may

View = Callable[..., HttpResponse]
# The portal shows the tables of these rooms, in this order; what other packages register is left
# out, because their permissions know nothing of our roles.
ROOMS = {"programs": "Library and programs", "patients": "Records", "clinic": "Practice"}
NOT_STAFF = "This part is for the practice’s staff. Your own pages are at the front door."
NOT_ALLOWED = "Your role does not include this. Ask a colleague whose role does, or a manager."


@dataclass(frozen=True)
class Page:
    """A page of a room above; ``menu`` is its word in the head or, where a ``room`` is named,
    among the lists of that room; ``needs`` what one must be allowed to open it. ``count`` says how
    much waits there for somebody, beside the word in the head; one cheap question."""

    route: str
    view: View
    name: str
    menu: str = ""
    needs: May | None = None
    room: str = ""
    count: Callable[[Any], int] | None = None


class PortalSite(AdminSite):
    site_header = "Steadyback"
    site_title = "Steadyback"
    index_title = "Caseload"
    site_url = None
    enable_nav_sidebar = False
    password_change_template = "admin/portal/password.html"
    password_change_done_template = "admin/portal/password_done.html"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._pages: list[Page] = []
        self._home: View | None = None
        # The rooms as a role sees them: rights go by roles, so they are the same on every page.
        self._lists: dict[tuple[object, ...], list[Any]] = {}
        self._drawn: dict[int, SafeString] = {}

    # --- what rooms above add ------------------------------------------------------------------

    def register_page(
        self,
        route: str,
        view: View,
        *,
        name: str,
        menu: str = "",
        needs: May | None = None,
        room: str = "",
        count: Callable[[Any], int] | None = None,
    ) -> None:
        """Add a page below /clinic/; reverse it as ``admin:<name>``."""
        self._lists.clear()
        self._drawn.clear()
        self._pages.append(Page(route, view, name, menu, needs, room, count))

    def register_home(self, view: View) -> None:
        """Make ``view`` the first page of the portal."""
        self._home = view

    def is_open(self, name: str, user: Any) -> bool:
        """Whether there is a page of this name and this person may open it."""
        page = next((page for page in self._pages if page.name == name), None)
        return page is not None and (page.needs is None or may(user, page.needs))

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register tables of our rooms; those of other packages stay outside."""
        models = (
            model_or_iterable
            if isinstance(model_or_iterable, list | tuple)
            else [model_or_iterable]
        )
        ours = [model for model in models if model._meta.app_label in ROOMS]
        self._lists.clear()
        self._drawn.clear()
        if ours:
            super().register(ours, admin_class, **options)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(page.route, self.admin_view(_guard(page.view, page.needs)), name=page.name)
            for page in self._pages
        ]
        # "View on site" looks any row of any table up by its number; nothing here needs it.
        stock = [
            entry for entry in super().get_urls() if getattr(entry, "name", "") != "view_on_site"
        ]
        return own + stock

    # --- the door ------------------------------------------------------------------------------

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded = super().admin_view(view, cacheable)

        @functools.wraps(guarded)
        def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = request.user
            if user.is_authenticated and not user.is_staff:
                return self._refuse(request, NOT_STAFF)
            if user.is_authenticated and _second_factor_missing(user):
                return redirect("mfa_activate_totp")
            with timezone.override(_zone_of(user)):
                try:
                    response = guarded(request, *args, **kwargs)
                    # Rendered here, so that times and refusals are this wrapper's in every case.
                    if isinstance(response, TemplateResponse):
                        response.render()
                    return response
                except PermissionDenied as error:
                    return self._refuse(request, str(error) or NOT_ALLOWED)
                except Http404:
                    return self.page(request, "admin/404.html", {"title": "Not found"}, status=404)

        return opened

    def _refuse(self, request: HttpRequest, words: str) -> HttpResponse:
        context = {"title": "This page is closed to you", "words": words}
        return self.page(request, "admin/403.html", context, status=403)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Staff sign in where everybody does, by password and second factor."""
        home = reverse("admin:index", current_app=self.name)
        target = request.GET.get("next") or home
        if self.has_permission(request):
            return HttpResponseRedirect(home)
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': target})}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account_logout")

    # --- what every page knows -----------------------------------------------------------------

    def index(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if self._home is None:
            return super().index(request, extra_context)
        return self._home(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The rooms in their order, with names people use."""
        user = request.user
        key = (getattr(user, "role", ""), user.is_active, user.is_superuser, app_label)
        if key not in self._lists:
            self._lists[key] = self._rooms(request, app_label)
        return self._lists[key]

    def _more(self, request: HttpRequest, rooms: list[Any]) -> SafeString:
        """The panel of the rooms. Drawn once for each role, but on a page that stands in it."""
        models = [model for room in rooms for model in room["models"]]
        if any(model.get("admin_url") == request.path for model in models):
            return _draw(rooms, request.path)
        if id(rooms) not in self._drawn:
            self._drawn[id(rooms)] = _draw(rooms, "")
        return self._drawn[id(rooms)]

    def _rooms(self, request: HttpRequest, app_label: str | None) -> list[Any]:
        found = self._build_app_dict(request, app_label)
        # A room may have pages for somebody who may see none of its tables.
        bare = {} if app_label else {label: {"app_label": label, "models": []} for label in ROOMS}
        found = bare | found
        rooms = [found[label] | {"name": name} for label, name in ROOMS.items() if label in found]
        for room in rooms:
            for model in room["models"]:
                words = getattr(self._registry[model["model"]], "words", None)
                model["name"] = capfirst(words[1]) if words else model["name"]
            room["models"] += self._pages_of(room["app_label"], request.user)
            room["models"].sort(key=lambda model: model["name"])
        return [room for room in rooms if room["models"]]

    def _pages_of(self, room: str, user: Any) -> list[dict[str, Any]]:
        return [
            {"name": page.menu, "admin_url": reverse(f"admin:{page.name}"), "view_only": True}
            for page in self._pages
            if page.menu and page.room == room and (page.needs is None or may(user, page.needs))
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        allowed = abilities(request.user)
        known = super().each_context(request)
        return {
            **known,
            "may": allowed,
            "more": self._more(request, known["available_apps"]),
            "menu": [
                {
                    "word": page.menu,
                    "url": _address(page.name),
                    "count": page.count(request.user) if page.count else 0,
                }
                for page in self._pages
                if page.menu and not page.room and (page.needs is None or allowed[page.needs])
            ],
        }

    def page(
        self,
        request: HttpRequest,
        template: str,
        context: dict[str, Any] | None = None,
        *,
        status: int = 200,
    ) -> TemplateResponse:
        """A page of the portal: ``context`` on top of what every page knows."""
        request.current_app = self.name
        return TemplateResponse(
            request, template, {**self.each_context(request), **(context or {})}, status=status
        )


def _guard(view: View, needs: May | None) -> View:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if needs is not None and not may(request.user, needs):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def _second_factor_missing(user: Any) -> bool:
    # Imported late: this module is loaded while the apps are still being set up.
    from allauth.mfa.utils import is_mfa_enabled

    return settings.STAFF_SECOND_FACTOR and not is_mfa_enabled(user)


@functools.lru_cache(maxsize=64)
def _address(name: str) -> str:
    return reverse(f"admin:{name}")


def _draw(rooms: list[Any], here: str) -> SafeString:
    return format_html_join(
        "\n",
        '<div><p class="po-more__room">{}</p>\n<ul>{}</ul></div>',
        (
            (
                room["name"],
                format_html_join(
                    "",
                    '<li><a href="{}"{}>{}</a></li>',
                    (
                        (
                            model["admin_url"],
                            mark_safe(' aria-current="page"') if model["admin_url"] == here else "",
                            model["name"],
                        )
                        for model in room["models"]
                        if model.get("admin_url")
                    ),
                ),
            )
            for room in rooms
        ),
    )


def _zone_of(user: Any) -> zoneinfo.ZoneInfo:
    """The zone of the first site somebody works at: portal times are wall-clock times there."""
    if not user.is_authenticated:
        return zoneinfo.ZoneInfo(settings.TIME_ZONE)
    sites = sites_of(user)
    return zoneinfo.ZoneInfo(sites[0].time_zone if sites else settings.TIME_ZONE)


def sites_of(user: Any) -> list[Site]:
    """The sites somebody works at, oldest first; asked of the database once in a request."""
    if not hasattr(user, "_sites"):
        user._sites = list(user.sites.order_by("pk"))
    return user._sites
