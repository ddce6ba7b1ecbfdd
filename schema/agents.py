"""City staff: the agents, and their administration."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import agents
from schema.access import ADMIN, EVERYBODY, AgentRole
from schema.declare import Arg, Payload, column, mutation, page, stored, written
from schema.payloads import AccountPayload
from schema.relay import OLDEST_FIRST, Connection, Info, Node, key_of
from schema.scalars import EmailAddress
from schema.second_factor import SecondFactor
from schema.services import Service
from schema.tags import Tag

LEFT = "(select count(*)::integer from recovery_code r where r.agent_id = {t}.id and r.used_at is null)"


@stored("agent", {"AGENT": "({t}.id = :agent or :admin)"}, tag=Tag.AGENT, key=("id",))
@strawberry.type(description="A member of the city's staff; seen by itself and by administrators.")
class Agent(Node):
    """City staff."""

    name: str = column("Name.")
    email: str = column("E-mail address.")
    roles: list[str] = column("Roles: AGENT, CASHIER, EDITOR, ADMIN.", "to_json({t}.roles)")
    services: Connection[Service] = page(
        "The services whose procedures the agent sees.", "{o}.id = any({t}.services)", OLDEST_FIRST
    )
    created_at: datetime = column("When the agent was written here.")
    disabled_at: datetime | None = column("Since when the agent cannot sign in.")
    second_factors: Connection[SecondFactor] = page(
        "Authenticator apps and passkeys.", "{o}.agent_id = {t}.id", OLDEST_FIRST
    )
    recovery_codes_left: int = column("How many recovery codes are not used.", LEFT)


@strawberry.type(description="An agent that was written.")
class AgentPayload(Payload):
    """Payload of commands on one agent."""

    agent: Agent | None = written("The agent.", "{o}.id = :source_id")
    password_link: str | None = strawberry.field(
        default=None,
        description="Address at which the agent sets a password, once: hand it over; with a new agent, or on request.",
    )


@strawberry.type
class AgentQueries:
    """Root fields about staff."""

    agents: Connection[Agent] = page(
        "City staff, for administrators.",
        "true",
        OLDEST_FIRST,
        may=ADMIN,
        search=Arg(
            str | None,
            "Beginning of the address, or a part of the name.",
            filters="({o}.email like lower(:arg_search) || '%' or {o}.name ilike '%' || :arg_search || '%')",
        ),
    )


AgentID = Annotated[strawberry.ID, strawberry.argument(description="Id of the agent.")]


@strawberry.type
class AgentMutations:
    """Commands about staff."""

    @mutation(
        may=ADMIN,
        description="Write a new agent, or change one; when its rights or its address change, its sessions end.",
    )
    async def save_agent(
        info: Info,
        email: Annotated[EmailAddress, strawberry.argument(description="E-mail address, with which it signs in.")],
        name: Annotated[str, strawberry.argument(description="Name.")],
        roles: Annotated[list[AgentRole], strawberry.argument(description="Roles, one at the least.")],
        services: Annotated[
            list[strawberry.ID], strawberry.argument(description="Ids of the services whose procedures it sees.")
        ],
        agent: Annotated[
            strawberry.ID | None, strawberry.argument(description="Id of the agent to change; a new one without.")
        ] = None,
    ) -> AgentPayload:
        """A new agent sets its password by a link."""
        context = info.context
        found = [key_of(context, service, "Service", "services")[0] for service in services]
        wanted = agents.Wanted(email, name, {role.name for role in roles}, found)
        if agent is None:
            agent_id, link = await agents.create(context, wanted)
            return AgentPayload(id=agent_id, password_link=link)
        [agent_id] = key_of(context, agent, "Agent", "agent")
        await agents.change(context, agent_id, wanted)
        return AgentPayload(id=agent_id)

    @mutation(may=ADMIN, description="Let an agent in no more; its sessions end at once.")
    async def disable_agent(info: Info, agent: AgentID) -> AgentPayload:
        """The last administrator stays."""
        [agent_id] = key_of(info.context, agent, "Agent", "agent")
        await agents.disable(info.context, agent_id)
        return AgentPayload(id=agent_id)

    @mutation(may=ADMIN, description="Let a disabled agent in again.")
    async def enable_agent(info: Info, agent: AgentID) -> AgentPayload:
        """With the rights that it had."""
        [agent_id] = key_of(info.context, agent, "Agent", "agent")
        await agents.enable(info.context, agent_id)
        return AgentPayload(id=agent_id)

    @mutation(may=ADMIN, description="Remove the second factors of another agent, who has lost them.")
    async def reset_second_factor(info: Info, agent: AgentID) -> AgentPayload:
        """Its sessions end."""
        [agent_id] = key_of(info.context, agent, "Agent", "agent")
        await agents.reset_second_factor(info.context, agent_id)
        return AgentPayload(id=agent_id)

    @mutation(may=ADMIN, description="Make an address at which an agent sets a new password, once.")
    async def issue_agent_password_link(info: Info, agent: AgentID) -> AgentPayload:
        """To be handed over in person or by telephone."""
        [agent_id] = key_of(info.context, agent, "Agent", "agent")
        return AgentPayload(id=agent_id, password_link=await agents.password_link(info.context, agent_id))

    @mutation(may=EVERYBODY.always, description="Set an agent's password with the token of its link; its sessions end.")
    async def set_agent_password(
        info: Info,
        token: Annotated[str, strawberry.argument(description="The token in the link.")],
        password: Annotated[str, strawberry.argument(description="The new password; see `passwordPolicy`.")],
    ) -> AccountPayload:
        """R17, R19."""
        await agents.set_password(info.context, token, password)
        return AccountPayload()
