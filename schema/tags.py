"""The nodes of the graph and the first byte of their global ids: one table, so that no two are the same."""

from enum import IntEnum, unique


@unique
class Tag(IntEnum):
    """First byte of a node's id. Clients keep ids: a number that was released is never changed or given again."""

    SERVICE = 1
    AGENT = 2
    MEMBER = 3
    ACCOUNT = 4
    SESSION = 5
    FAMILY = 6
    PROCEDURE_KIND = 7
    PROCEDURE_EVENT = 8
    PROCEDURE = 9
    DELIVERY = 10
    NEWS_ITEM = 11
    CHANNEL_PREFERENCE = 12
    TERMS = 13
    TERMS_ACCEPTANCE = 14
    MEMBER_CHANGE = 15
    INVITATION = 16
    QUOTIENT_FAMILIAL = 17
    SECOND_FACTOR = 18
    IDENTITY_PROVIDER = 19
    PROVIDER_LINK = 20
    AGENT_TASK = 21
    DATA_CHOICE = 22
    SERVICE_OPT_IN = 23
    EXPORT = 24
    AUDIT_ENTRY = 25
    PAGE = 26
    PAGE_VERSION = 27
    PAGE_CATEGORY = 28
    PLACE = 29
    OPENING_RULE = 30
    OPENING_SPAN = 31
    EXCEPTIONAL_DAY = 32
