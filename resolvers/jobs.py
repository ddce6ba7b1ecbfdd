"""Everything that the portal does later or by the clock: one name, one function. A new job is named here."""

from datetime import timedelta

from resolvers import (
    billing,
    card_enquiries,
    card_payments,
    closure,
    debits,
    exports,
    invoice_issue,
    legal_clock,
    mandates,
    partners,
    places,
    reminders,
    retention,
    statistics,
    unreachable,
    uploads,
)
from resolvers.job_runner import Kind, Registry

DAILY = timedelta(days=1)
HOURLY = timedelta(hours=1)
OFTEN = timedelta(minutes=10)
AT_NIGHT = timedelta(hours=1, minutes=30)
"""UTC; in France 2.30 or 3.30 am."""

IN_THE_MORNING = timedelta(hours=7)
"""UTC; in France 8 or 9 am."""

REGISTRY: Registry = {
    exports.BUILD_EXPORT: Kind(exports.build),
    retention.ERASE_UNKEPT: Kind(retention.erase_unkept, DAILY, AT_NIGHT),
    retention.ERASE_UNKEPT_OF_FAMILY: Kind(retention.erase_unkept),
    retention.SWEEP: Kind(retention.sweep, HOURLY),
    places.RENEW_SPANS: Kind(places.renew_spans, DAILY, AT_NIGHT),
    uploads.ERASE_FILES: Kind(uploads.erase_files),
    uploads.SWEEP_DOCUMENTS: Kind(uploads.sweep, DAILY, AT_NIGHT),
    closure.FORGET_LAST_ADDRESS: Kind(closure.forget_last_address),
    closure.ERASE_CLOSED: Kind(closure.erase_closed, DAILY, AT_NIGHT),
    closure.ERASE_FAMILY: Kind(closure.erase_family),
    partners.WATCH_EXPIRY: Kind(partners.watch_expiry, DAILY, AT_NIGHT),
    legal_clock.DECIDE_BY_SILENCE: Kind(legal_clock.decide_by_silence, HOURLY),
    legal_clock.REMIND_OF_DEADLINES: Kind(legal_clock.remind_of_deadlines, HOURLY),
    reminders.REMIND_OF_INVOICES: Kind(reminders.remind_of_invoices, DAILY, IN_THE_MORNING),
    billing.DRAFT_RUN: Kind(billing.draft, put_aside=billing.put_aside),
    billing.PUBLISH_RUN: Kind(billing.publish_run, put_aside=billing.put_aside),
    billing.ISSUE_INVOICES: Kind(invoice_issue.issue_run, put_aside=billing.put_aside),
    billing.DROP_DRAFTS: Kind(billing.drop_drafts),
    card_payments.ENQUIRE: Kind(card_enquiries.enquire),
    card_enquiries.ENQUIRE_NIGHTLY: Kind(card_enquiries.enquire_nightly, DAILY, AT_NIGHT),
    mandates.LAPSE_MANDATES: Kind(mandates.lapse, DAILY, AT_NIGHT),
    debits.ANNOUNCE_DEBITS: Kind(debits.announce, HOURLY),
    debits.BOOK_DEBITS: Kind(debits.book, HOURLY),
    statistics.FOLD: Kind(statistics.fold, OFTEN),
    unreachable.TELL_UNREACHABLE: Kind(unreachable.tell_unreachable, OFTEN),
}
