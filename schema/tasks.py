"""Tasks: what waits for the city's staff."""

from datetime import datetime
from enum import Enum

import strawberry

from resolvers import tasks
from schema.access import ANY_AGENT
from schema.declare import Arg, Payload, column, mutation, one, page, stored, written
from schema.families import Family
from schema.relay import NEWEST_FIRST, Connection, GlobalID, Info, Node, key_of
from schema.tags import Tag


@strawberry.enum(description="What a task asks of the city's staff.")
class AgentTaskKind(Enum):
    """Kinds of task; each has its roles in `resolvers.tasks`."""

    UNAUTHORIZED_USE = strawberry.enum_value(
        "UNAUTHORIZED_USE", description="A family reports that somebody else used its account (R20): call it back."
    )


@stored("agent_task", {"AGENT": "{t}.roles && :roles"}, tag=Tag.AGENT_TASK)
@strawberry.type(description="Something that neither a family nor the clock can settle.")
class AgentTask(Node):
    """A task; seen by agents of its roles."""

    kind: AgentTaskKind = column("What it asks.")
    family: Family = one("The family that it is about.", "{o}.id = {t}.family_id")
    created_at: datetime = column("Since when it waits.")
    done_at: datetime | None = column("When it was done.")
    done_by: str | None = column(
        "Name of the agent who did it.", "(select g.name from agent g where g.id = {t}.done_by)"
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
