"""The API under /api/v1/: a patient's own day, for an app on the patient's device.

Thin doors: every write calls the same function as the pages do, and may be sent again with the
same ``client_id`` without changing anything.
"""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, permissions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from patients.models import CheckIn, Patient, RedFlagScreening
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from patients.red_flags import complete as completed
from programs.answering import answer_after_session, answer_morning, record_session
from programs.api_shapes import (
    AnsweredShape,
    CheckInBody,
    MeShape,
    QuestionsShape,
    RedFlagBody,
    RedFlagShape,
    SessionBody,
    SessionShape,
    TodayShape,
)
from programs.models import Program, Session
from programs.today import program_for, today_for


def words_for_errors(error: Exception, context: dict[str, Any]) -> Response | None:
    """A refusal of the domain becomes a 400 with its words, field by field."""
    if isinstance(error, ValidationError):
        found = error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages}
        error = exceptions.ValidationError(found)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    return exception_handler(error, context)


class IsPatient(permissions.IsAuthenticated):
    message = gettext_lazy("This is for patients; staff use the clinician portal.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and _patient_of(request) is not None


def _patient_of(request: Request) -> Patient | None:
    return Patient.objects.select_related("site").filter(user=request.user).first()


class PatientView(APIView):
    permission_classes = [IsPatient]

    def patient(self) -> Patient:
        found = _patient_of(self.request)
        if found is None:
            raise exceptions.PermissionDenied(IsPatient.message)
        return found

    def program(self) -> Program:
        found = program_for(self.patient())
        if found is None:
            raise exceptions.NotFound(gettext("Your physiotherapist is preparing your program."))
        return found

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any):
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response


class MeView(APIView):
    permission_classes = [permissions.AllowAny]

    @extend_schema(responses=MeShape, summary="Whether somebody is signed in, and who")
    def get(self, request: Request) -> Response:
        if not request.user.is_authenticated:
            return Response({"signed_in": False, "kind": None, "name": None, "has_program": False})
        patient = _patient_of(request)
        return Response(
            {
                "signed_in": True,
                "kind": "patient" if patient else "staff",
                "name": request.user.name,
                "has_program": bool(patient and program_for(patient)),
            }
        )


class TodayView(PatientView):
    @extend_schema(responses=TodayShape, summary="Today's routine and what is due")
    def get(self, request: Request) -> Response:
        return Response(TodayShape(today_for(program=self.program(), at=timezone.now())).data)


class SessionsView(PatientView):
    @extend_schema(responses=SessionShape(many=True), summary="Sessions of the last 14 days")
    def get(self, request: Request) -> Response:
        program = self.program()
        sessions = program.sessions.order_by("-day")[:14]
        return Response(SessionShape(sessions, many=True, context=_may_show(program)).data)

    @extend_schema(
        request=SessionBody,
        responses={201: SessionShape, 200: OpenApiResponse(SessionShape, "Kept before: a replay.")},
        summary="Report a session",
    )
    def post(self, request: Request) -> Response:
        body = _read(SessionBody, request)
        program, at = self.program(), timezone.now()
        known_before = _known(Session, body["client_id"])
        session = record_session(
            program=program,
            at=at,
            given_at=body.get("at"),
            day=body.get("day") or program.patient.local_date(body.get("at", at)),
            status=body["status"],
            client_id=body["client_id"],
            known=body["known"],
            skip_reason=body["skip_reason"],
            done=body.get("done"),
        )
        shape = SessionShape(session, context=_may_show(program))
        return Response(shape.data, status=_code(known_before))


class CheckInsView(PatientView):
    @extend_schema(
        request=CheckInBody,
        responses={
            201: AnsweredShape,
            200: OpenApiResponse(AnsweredShape, "Kept before: a replay."),
        },
        summary="Answer a check-in",
        description="With `session` it is the after-session check-in of that session; without, "
        "the morning's.",
    )
    def post(self, request: Request) -> Response:
        body = _read(CheckInBody, request)
        program, at = self.program(), timezone.now()
        known_before = _known(CheckIn, body["client_id"])
        session_id, body["given_at"] = body.pop("session", None), body.pop("at", None)
        if session_id is not None:
            session = get_object_or_404(program.sessions, pk=session_id)
            answered = answer_after_session(session=session, at=at, **body)
        else:
            answered = answer_morning(program=program, at=at, **body)
        return Response(AnsweredShape(answered).data, status=_code(known_before))


class RedFlagsView(PatientView):
    @extend_schema(responses=QuestionsShape, summary="The red-flag questions")
    def get(self, request: Request) -> Response:
        return Response({"questions": [{"id": q.id, "text": gettext(q.text)} for q in REPEATED]})

    @extend_schema(
        request=RedFlagBody,
        responses={201: RedFlagShape, 200: OpenApiResponse(RedFlagShape, "Kept before.")},
        summary="Answer the red-flag questions",
    )
    def post(self, request: Request) -> Response:
        body, patient = _read(RedFlagBody, request), self.patient()
        known_before = _known(RedFlagScreening, body["client_id"])
        try:
            red_flag = answer_red_flags(
                patient=patient,
                answers=completed(body["answers"]),
                source=RedFlagScreening.Source.BUTTON,
                client_id=body["client_id"],
                at=timezone.now(),
                given_at=body.get("at"),
            )
        except ValueError as error:
            raise exceptions.ValidationError({"answers": str(error)}) from error
        shape = RedFlagShape(red_flag, context={"site": patient.site})
        return Response(shape.data, status=_code(known_before))


def _may_show(program: Program) -> dict[str, bool]:
    """What a session was made of names exercises: none while the program stands still."""
    return {"stopped": program.stands_still()}


def _read(shape: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _known(model: Any, client_id: object) -> bool:
    return bool(model.objects.filter(client_id=client_id).exists())


def _code(known_before: bool) -> int:
    return status.HTTP_200_OK if known_before else status.HTTP_201_CREATED
