"""The procedures of the demo city's families: what was filed when, and how it went on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from db.clock import PARIS
from gateway.demo.answers import Answers
from gateway.demo.answers import answers as answered
from gateway.demo.households import SHOWN_ACTIVE, Household, Person
from gateway.demo.kinds import KINDS, Kind
from resolvers.legal_clock import after_an_answer, implied_decision

OPEN_DAYS = 45
"""Open procedures are younger, so that no legal delay ends before the demo begins."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A way that procedures go; every move is a legal one."""

    weight: int
    statuses: tuple[str, ...]
    open: bool = False
    by_clock: bool = False
    """The last move is the implied decision, when the legal delay has passed."""


_REVIEWED = ("SUBMITTED", "IN_REVIEW")
_ASKED = (*_REVIEWED, "AWAITING_FAMILY")
_ANSWERED = (*_ASKED, "IN_REVIEW")
SCENARIOS = (
    Scenario(12, _REVIEWED, open=True),
    Scenario(30, (*_REVIEWED, "ACCEPTED")),
    Scenario(6, _ASKED, open=True),
    Scenario(6, (), open=True),
    Scenario(8, (*_REVIEWED, "REJECTED")),
    Scenario(10, ("SUBMITTED",), open=True),
    Scenario(10, (*_ANSWERED, "ACCEPTED")),
    Scenario(3, _ANSWERED, open=True),
    Scenario(5, (*_REVIEWED, "CLOSED")),
    Scenario(4, ("SUBMITTED", "WITHDRAWN")),
    Scenario(2, ("WITHDRAWN",)),
    Scenario(4, (*_REVIEWED, "IMPLIED"), by_clock=True),
)
_WEIGHTS = [scenario.weight for scenario in SCENARIOS]

MESSAGES = {
    "AWAITING_FAMILY": (
        "Il nous manque un justificatif de domicile de moins de trois mois. Merci de nous le faire parvenir.",
        "A proof of address less than three months old is missing. Please send it to us.",
    ),
    "REJECTED": (
        "Les conditions demandées ne sont pas remplies. Le service reste à votre disposition pour en parler.",
        "The conditions are not met. The service is at your disposal to talk about it.",
    ),
    "CLOSED": (
        "Dossier classé : la pièce demandée ne nous est pas parvenue.",
        "File closed: the document asked for did not reach us.",
    ),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A procedure to be: its kind, its way, its beginning (UTC)."""

    kind: Kind
    scenario: Scenario
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a procedure, at a moment in UTC."""

    before: str
    status: str
    actor: str
    message: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """A procedure with all its moves."""

    plan: Plan
    person: Person
    answers: Answers
    steps: tuple[Step, ...]
    submitted_at: datetime | None
    implied_decision_on: date | None

    @property
    def status(self) -> str:
        """Where it stands."""
        return self.steps[-1].status if self.steps else "DRAFT"


def plans(seed: int, household: Household, now: datetime) -> list[Plan]:
    """Choose what a family filed in the last twelve months; nothing without an account that accepted the terms."""
    if not household.accepted:
        return []
    random = Random(f"{seed}/plans/{household.index}")
    has_child = any(person.role == "CHILD" for person in household.people)
    kinds = [kind for kind in KINDS if household.profile in kind.profiles and (has_child or not kind.concerns_child)]
    shown = household.index == SHOWN_ACTIVE
    scenarios = SCENARIOS[:6] if shown else random.choices(SCENARIOS, _WEIGHTS, k=random.randint(4, 10))
    chosen = random.choices(kinds, [kind.weight for kind in kinds], k=len(scenarios))
    return [Plan(kind, way, _beginning(random, way, now)) for kind, way in zip(chosen, scenarios, strict=True)]


def _beginning(random: Random, scenario: Scenario, now: datetime) -> datetime:
    youngest, oldest = (1, OPEN_DAYS) if scenario.open else (75 if scenario.by_clock else 40, 364)
    return now - timedelta(seconds=random.randint(youngest * 86_400, oldest * 86_400))


def history(seed: int, household: Household, place: int, plan: Plan, now: datetime) -> History:
    """Tell how the procedure in `place` of a family went until now."""
    random = Random(f"{seed}/history/{household.index}/{place}")
    people = [each for each in household.people if not plan.kind.concerns_child or each.role == "CHILD"]
    person = random.choice(people)
    moments = _moments(random, plan, now)
    submitted_at = moments[0] if plan.scenario.statuses[:1] == ("SUBMITTED",) else None
    implied_on = _implied(plan, moments, submitted_at)
    if plan.scenario.by_clock and implied_on:
        # The day of the delay has to pass before silence decides.
        moments[-1] = datetime.combine(implied_on + timedelta(days=1), time(0, 5), PARIS).astimezone(UTC)
    day = (submitted_at or plan.created_at).astimezone(PARIS).date()
    answers = answered(random, household, person, day, plan.kind.fields)
    if not submitted_at:
        answers = dict(list(answers.items())[: random.randint(1, 3)])
    return History(plan, person, answers, _steps(household, plan, moments), submitted_at, implied_on)


def _moments(random: Random, plan: Plan, now: datetime) -> list[datetime]:
    """Choose distinct moments of the moves, in order."""
    longest = now - plan.created_at if plan.scenario.open else timedelta(days=random.randint(4, 35))
    seconds = sorted(random.sample(range(300, int(longest.total_seconds())), len(plan.scenario.statuses)))
    return [plan.created_at + timedelta(seconds=each) for each in seconds]


def _implied(plan: Plan, moments: Sequence[datetime], submitted_at: datetime | None) -> date | None:
    """Give the day when silence decides; an answer of the family moves it."""
    if not submitted_at:
        return None
    day = implied_decision(submitted_at, plan.kind.decision_months)
    if plan.scenario.statuses[:4] == _ANSWERED:
        asked_on, answered_on = (moment.astimezone(PARIS).date() for moment in moments[2:4])
        day = after_an_answer(day, plan.kind.silence_means, plan.kind.decision_months, asked_on, answered_on)
    return day


def _steps(household: Household, plan: Plan, moments: Sequence[datetime]) -> tuple[Step, ...]:
    steps: list[Step] = []
    before = "DRAFT"
    for given, at in zip(plan.scenario.statuses, moments, strict=True):
        status = plan.kind.silence_means if given == "IMPLIED" else given
        actor = "CLOCK" if given == "IMPLIED" else _actor(before, status)
        texts = MESSAGES.get(status) if actor == "AGENT" else None
        message = texts[0 if household.language == "fr" else 1] if texts else None
        steps.append(Step(before, status, actor, message, at))
        before = status
    return tuple(steps)


def _actor(before: str, status: str) -> str:
    of_family = status in {"SUBMITTED", "WITHDRAWN"} or before == "AWAITING_FAMILY"
    return "FAMILY" if of_family else "AGENT"
