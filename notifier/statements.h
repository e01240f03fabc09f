/* The notifier's SQL: which statement has which number in which session. The texts are the files in
 * notifier/sql. */
#ifndef DOCKET_STATEMENTS_H
#define DOCKET_STATEMENTS_H

#include "pg.h"

/* Of the session that tells. */
enum tell_statement {
    TELL_TARGET_LOCK,
    TELL_TARGET_URGENT,
    TELL_TARGET_MERGE,
    TELL_TARGET_LIMIT,
    TELL_TARGET_BUNDLE,
    TELL_TARGET_LEASES,
    TELL_TARGET_NEXT,
    TELL_TARGET_REPAIR,
    TELL_LEASES_BACK,
    TELL_DELIVERY_CLAIM,
    TELL_JOINED_LOCK,
    TELL_DELIVERY_REFUSE,
    TELL_ATTEMPT_START,
    TELL_ATTEMPT_END,
    TELL_PROCESS_CURRENT,
    TELL_BACKLOG,
    TELL_PLANS_DISCARD,
    TELL_BEAT,
    TELL_RELAY_SHARE,
    TELL_ALERT_QUIET,
    TELL_MUTES_END,
    TELL_ESCAL_OVERRIDES,
    TELL_ESCAL_CLAIM,
    TELL_ESCAL_NEXT,
    TELL_ESCAL_HOLD,
    TELL_ESCAL_ADVANCE,
    TELL_ESCAL_STEP,
    TELL_ESCAL_OVER,
    TELL_ESCAL_WITHDRAW,
    TELL_GAP_NOW,
    TELL_GAP_OVERRIDES,
    TELL_FOUND_ALERTS,
    TELL_LINK_TICKET,
    TELL_LINK_ALERT,
    TELL_ANSWER_ALERT,
    TELL_GATEWAY_RESULT,
    TELL_STATEMENTS
};

/* Of the session that unpacks the outbox, beside the one that tells. */
enum unpack_statement {
    UNPACK_CLAIM,
    UNPACK_MERGE,
    UNPACK_EXPAND,
    UNPACK_MERGED,
    UNPACK_PLANS_DISCARD,
    UNPACK_STATEMENTS
};

/* Of the session that reads the feed. */
enum feed_statement { FEED_GENERATION, FEED_SEQ, FEED_FENCE, FEED_XMIN, FEED_PAGE, FEED_STATEMENTS };

/* Of the session that looks at the notifier itself. */
enum audit_statement { AUDIT_LOOK, AUDIT_ALERTS, AUDIT_STATEMENTS };

/* Fill the tables; ret has …_STATEMENTS rows. */
void statements_tell(struct pg_statement *ret);
void statements_unpack(struct pg_statement *ret);
void statements_feed(struct pg_statement *ret);
void statements_audit(struct pg_statement *ret);

#endif
