"""What every refusal says, by its code, in the two languages of the portal: a module for each part of it."""

from resolvers.sentences.accounts import ACCOUNTS
from resolvers.sentences.common import COMMON
from resolvers.sentences.documents import DOCUMENTS
from resolvers.sentences.families import FAMILIES
from resolvers.sentences.money import MONEY
from resolvers.sentences.partners import PARTNERS
from resolvers.sentences.procedures import PROCEDURES

SENTENCES = {**COMMON, **ACCOUNTS, **PARTNERS, **FAMILIES, **PROCEDURES, **DOCUMENTS, **MONEY}
