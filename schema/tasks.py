"""Tasks: what waits for the city's staff."""

from datetime import datetime
from enum import Enum

import strawberry

from resolvers import tasks
from schema.access import ANY_AGENT
from schema.debits import Debit
from schema.declare import Arg, Payload, column, mutation, one, page, stored, written
from schema.families import Family
from schema.payments import Payment
from schema.procedures import Procedure
from schema.relay import NEWEST_FIRST, Connection, GlobalID, Info, Node, key_of
from schema.tags import Tag


@strawberry.enum(description="What a task asks of the city's staff.")
class AgentTaskKind(Enum):
    """Kinds of task; each has its roles in `resolvers.tasks`."""

    UNAUTHORIZED_USE = strawberry.enum_value(
        "UNAUTHORIZED_USE", description="A family reports that somebody else used its account (R20): call it back."
    )
    DEADLINE_NEAR = strawberry.enum_value(
        "DEADLINE_NEAR", description="Silence will decide a procedure of one's service within days (CRPA L231-1)."
    )
    UNEXPLAINED_CREDIT = strawberry.enum_value(
        "UNEXPLAINED_CREDIT", description="More was paid than was owed: keep it for later invoices or pay it back."
    )
    BANK_MISMATCH = strawberry.enum_value(
        "BANK_MISMATCH", description="A bank says that something was paid, and it does not fit: ask the bank."
    )
    DEBIT_RETURNED = strawberry.enum_value(
        "DEBIT_RETURNED", description="A bank sent a direct debit back: see that the invoice is paid otherwise."
    )
    EMAIL_UNREACHABLE = strawberry.enum_value(
        "EMAIL_UNREACHABLE", description="E-mails to a family come back: ask it for another address."
    )


@stored(
    "agent_task",
    {"AGENT": "{t}.roles && :roles and ({t}.service_id is null or {t}.service_id = any(:services))"},
    tag=Tag.AGENT_TASK,
)
@strawberry.type(description="Something that neither a family nor the clock can settle.")
class AgentTask(Node):
    """A task; seen by agents of its roles."""

    kind: AgentTaskKind = column("What it asks.")
    family: Family = one("The family that it is about.", "{o}.id = {t}.family_id")
    procedure: Procedure | None = one(
        "The procedure that it is about, with DEADLINE_NEAR.",
        "{o}.family_id = {t}.family_id and {o}.id = {t}.subject_id and {t}.kind = 'DEADLINE_NEAR'",
    )
    payment: Payment | None = one(
        "The payment that it is about, with UNEXPLAINED_CREDIT.",
        "{o}.family_id = {t}.family_id and {o}.id = {t}.subject_id and {t}.kind = 'UNEXPLAINED_CREDIT'",
    )
    debit: Debit | None = one(
        "The direct debit that it is about, with DEBIT_RETURNED.",
        "{o}.family_id = {t}.family_id and {o}.id = {t}.subject_id and {t}.kind = 'DEBIT_RETURNED'",
    )
    created_at: datetime = column("Since when it waits.")
    done_at: datetime | None = column("When it was done.")
    done_by: str | None = column(
        "Name of the agent who did it; none where it settled itself.",
        "(select g.name from agent g where g.id = {t}.done_by)",
    )


@strawberry.type(description="What finishing a task gives.")
class AgentTaskPayload(Payload):
    """Payload of finishAgentTask."""

    task: AgentTask | None = written("The task, unless refused.")


@strawberry.type
class TaskQueries:
    """Root fields about tasks."""

    agent_tasks: Connection[AgentTask] = page(
        "Tasks for the roles of the agent that asks, newest first.",
        "true",
        NEWEST_FIRST,
        may=ANY_AGENT,
        done=Arg(
            bool | None,
            "Only those that are done, or only those that wait.",
            "boolean",
            "({o}.done_at is not null) = :arg_done",
        ),
        kinds=Arg(list[AgentTaskKind] | None, "Only these kinds.", "text[]", "{o}.kind = any(:arg_kinds)"),
    )


@strawberry.type
class TaskMutations:
    """Commands about tasks."""

    @mutation(may=ANY_AGENT, description="Mark a task as done; once more changes nothing.")
    async def finish_agent_task(info: Info, task: GlobalID) -> AgentTaskPayload:
        """Tasks of other roles are not found."""
        family_id, task_id = key_of(info.context, task, "AgentTask", "task")
        await tasks.finish(info.context, family_id, task_id)
        return AgentTaskPayload(family_id=family_id, id=task_id)
