"""Sites of the practice and everybody who can sign in."""

import datetime as dt
import zoneinfo

import pghistory
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from clinic import opening
from clinic.validators import validate_mobile, validate_opening_hours, validate_time_zone


@pghistory.track()
class Site(models.Model):
    """One address of the practice. Its numbers and texts are what a patient in need reads."""

    name = models.CharField(max_length=120, unique=True)
    address = models.TextField(blank=True)
    time_zone = models.CharField(
        max_length=64, default="Europe/London", validators=[validate_time_zone]
    )
    phone = models.CharField("phone of the practice", max_length=32)
    emergency_number = models.CharField(max_length=32, default="999")
    urgent_number = models.CharField(
        "urgent advice number", max_length=32, blank=True, help_text="Not an emergency, but today."
    )
    emergency_text = models.TextField(
        default="Please get medical help now. Call the number below or go to your nearest "
        "emergency department.",
        help_text="Shown at once when an answer needs emergency care. Plain words, no diagnosis.",
    )
    same_day_text = models.TextField(
        default="Please speak to a health professional today, before you exercise again.",
        help_text="Shown at once when an answer needs to be looked at the same day.",
    )
    quiet_start = models.TimeField(
        "messages from", default=dt.time(8), help_text="Local time of the patient."
    )
    quiet_end = models.TimeField("messages until", default=dt.time(21))
    opening_hours = models.CharField(
        max_length=200,
        blank=True,
        default="Mon-Fri 08:00-18:00",
        validators=[validate_opening_hours],
        help_text="When somebody answers, in local time. Alerts are told again in these hours, and "
        f"patients read them. {opening.HOW}",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="site_messages_between_8_and_21",
                condition=Q(quiet_start__gte=dt.time(8))
                & Q(quiet_end__lte=dt.time(21))
                & Q(quiet_start__lt=models.F("quiet_end")),
                violation_error_message="Messages go out between 8:00 and 21:00 at the widest.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def hours(self) -> dict[int, tuple[dt.time, dt.time]]:
        """The opening hours by weekday; none where they cannot be read."""
        try:
            return opening.read_hours(self.opening_hours)
        except ValueError:
            return {}


class Role(models.TextChoices):
    PHYSIOTHERAPIST = "physiotherapist", "Physiotherapist"
    FRONT_DESK = "front_desk", "Front desk"
    MANAGER = "manager", "Manager"
    PATIENT = "patient", "Patient"
    CARER = "carer", "Carer"


# Who signs in by a code, without a password: the portal is closed to them.
BY_CODE = (Role.PATIENT, Role.CARER)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str | None, password: str | None = None, **fields) -> "User":
        if not email and fields.get("role") not in BY_CODE:
            raise ValidationError("An e-mail address is needed.")
        email = self.normalize_email(email).lower() if email else None
        user = self.model(email=email, **fields)
        user.set_password(password) if password else user.set_unusable_password()
        user.save(using=self._db)
        return user

    def with_email(self, email: str) -> "User | None":
        """The person whose address this is, in whatever case it is written.

        Never by ``iexact``: PostgreSQL takes “ı” for “i” then, and a mail server does not.
        """
        return self.annotate(plain=Lower("email")).filter(plain=email.lower()).first()

    def create_superuser(self, email: str, password: str, **fields) -> "User":
        fields.setdefault("role", Role.MANAGER)
        return self.create_user(email, password, is_superuser=True, **fields)


@pghistory.track(exclude=["password", "last_login"])
class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in: staff by password and second factor; a patient or a carer by a
    code, and those may have no e-mail address but a telephone only."""

    email = models.EmailField(unique=True, null=True, blank=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=Role)
    sites = models.ManyToManyField(Site, blank=True, related_name="staff")
    mobile = models.CharField(
        "mobile number for alerts",
        max_length=16,
        blank=True,
        validators=[validate_mobile],
        help_text="Staff get alerts here as text messages too. With its country code, such as "
        "+447700900123.",
    )
    usual_cover = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="usually_covers",
        help_text="Who stands in where no absence says who does.",
    )
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_whatever_its_case"),
            models.CheckConstraint(
                name="user_role_known", condition=Q(role__in=[role.value for role in Role])
            ),
            models.CheckConstraint(
                name="user_of_the_staff_has_email",
                condition=Q(email__isnull=False) | Q(role__in=[role.value for role in BY_CODE]),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_staff(self) -> bool:
        """Whether the clinician portal is this person's door."""
        return self.is_active and self.role not in BY_CODE

    @property
    def is_clinician(self) -> bool:
        """Whether this person may decide on a patient's program."""
        return self.is_active and self.role == Role.PHYSIOTHERAPIST

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]
