"""Everything that the portal does later or by the clock: one name, one function. A new job is named here."""

from datetime import timedelta

from resolvers import closure, exports, places, retention
from resolvers.job_runner import Kind, Registry

DAILY = timedelta(days=1)
HOURLY = timedelta(hours=1)
AT_NIGHT = timedelta(hours=1, minutes=30)
"""UTC; in France 2.30 or 3.30 am."""

REGISTRY: Registry = {
    exports.BUILD_EXPORT: Kind(exports.build),
    retention.ERASE_UNKEPT: Kind(retention.erase_unkept, DAILY, AT_NIGHT),
    retention.ERASE_UNKEPT_OF_FAMILY: Kind(retention.erase_unkept),
    retention.SWEEP: Kind(retention.sweep, HOURLY),
    places.RENEW_SPANS: Kind(places.renew_spans, DAILY, AT_NIGHT),
    closure.FORGET_LAST_ADDRESS: Kind(closure.forget_last_address),
    closure.ERASE_CLOSED: Kind(closure.erase_closed, DAILY, AT_NIGHT),
    closure.ERASE_FAMILY: Kind(closure.erase_family),
}
