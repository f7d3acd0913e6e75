"""The policies of the practice: what is in force, who changed it and why, and drafts."""

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from programs.clinician.opening import portal
from programs.clinician.policy_form import unit_of
from programs.models import Policy, PolicyDraft
from programs.models.library import Pathway
from programs.policies import begin_draft, drafts, whats_missing
from programs.policy_checks import difference
from programs.threshold_words import GROUPS
from programs.thresholds import DEFAULT_POLICIES


@require_GET
def policies(request: HttpRequest) -> HttpResponse:
    """Every pathway's thresholds side by side, and the drafts on their way."""
    in_force = _in_force()
    now = {one.pathway: one for one in in_force}
    return portal.page(
        request,
        "admin/portal/policies.html",
        {
            "title": "Policies",
            "in_force": in_force,
            "groups": _side_by_side(in_force),
            "drafts": [(draft, _state(draft, now[draft.pathway])) for draft in _open_drafts()],
        },
    )


@require_GET
def policy(request: HttpRequest, pathway: str) -> HttpResponse:
    """One pathway: its versions, newest first, each with what it changed, by whom and why."""
    versions = _versions(pathway)
    shown = [
        {
            "policy": version,
            "draft": getattr(version, "draft", None),
            "changes": difference(earlier.thresholds, version.thresholds) if earlier else [],
            "first": earlier is None,
        }
        for version, earlier in zip(versions, [*versions[1:], None], strict=True)
    ]
    waiting = [draft for draft in _open_drafts() if draft.pathway == pathway]
    return portal.page(
        request,
        "admin/portal/policy.html",
        {
            "title": f"{versions[0].get_pathway_display()}: policy",
            "pathway": pathway,
            "versions": shown,
            "drafts": [(draft, _state(draft, versions[0])) for draft in waiting],
            "mine": next((draft for draft in waiting if draft.author_id == request.user.pk), None),
        },
    )


@require_POST
def begin(request: HttpRequest, pathway: str) -> HttpResponse:
    """Begin a draft from the policy in force, from the version or from the draft that is named."""
    like = _named(pathway, request.POST)
    try:
        draft = begin_draft(pathway=pathway, by=request.user, at=timezone.now(), like=like)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("admin:policy", pathway)
    return redirect("admin:policy_draft", draft.pk)


def _named(pathway: str, given: Any) -> dict[str, object] | None:
    if pathway not in DEFAULT_POLICIES:
        raise Http404
    for name, rows in (("version", Policy.objects), ("draft", PolicyDraft.objects)):
        text = given.get(name, "")
        if not text:
            continue
        row = None
        if text.isdecimal() and len(text) < 10:
            key = {"version": int(text)} if name == "version" else {"pk": int(text)}
            row = rows.filter(pathway=pathway, **key).first()
        if row is None:
            raise Http404
        return row.whole if isinstance(row, PolicyDraft) else row.thresholds
    return None


def _versions(pathway: str) -> list[Policy]:
    found = Policy.objects.filter(pathway=pathway).order_by("-version")
    versions = list(found.select_related("published_by", "draft__author"))
    if not versions:
        raise Http404
    return versions


def _in_force() -> list[Policy]:
    """The newest version of each pathway, in the order of the pathways."""
    newest = Policy.objects.order_by("pathway", "-version").distinct("pathway")
    order = list(Pathway.values)
    return sorted(newest.select_related("published_by"), key=lambda one: order.index(one.pathway))


def _side_by_side(in_force: list[Policy]) -> list[dict[str, Any]]:
    supplied = [asdict(DEFAULT_POLICIES[one.pathway]) for one in in_force]
    return [
        {
            "group": group,
            "rows": [
                {
                    "threshold": threshold,
                    "unit": unit_of(threshold),
                    "cells": [
                        {
                            "said": threshold.said(one.thresholds[threshold.name]),
                            "supplied": threshold.said(given[threshold.name]),
                            "own": one.thresholds[threshold.name] != given[threshold.name],
                        }
                        for one, given in zip(in_force, supplied, strict=True)
                    ],
                }
                for threshold in group.thresholds
            ],
        }
        for group in GROUPS
    ]


def _open_drafts() -> list[PolicyDraft]:
    return list(drafts().filter(state=PolicyDraft.State.OPEN))


def _state(draft: PolicyDraft, in_force: Policy) -> str:
    """Where a draft stands on its way, in a few words."""
    missing = whats_missing(draft, in_force=in_force)
    return missing[0] if missing else "Rehearsed: a manager may publish it."
