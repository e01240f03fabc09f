/* The statements of the broker's three sessions: each name is a file below broker/sql. */
#ifndef DOCKET_STATEMENTS_H
#define DOCKET_STATEMENTS_H

#include "pg.h"
#include "statements_reader.h"

/* The writer's: batches, and the beginning of an epoch. */
#define WRITER_STATEMENTS(X)                  \
    X(W_POSTING, "posting")                   \
    X(W_POSTING_REPEAT, "posting_repeat")     \
    X(W_FIND, "find")                         \
    X(W_ENSURE, "ensure")                     \
    X(W_LOCK, "lock")                         \
    X(W_CHANGE, "change")                     \
    X(W_EXCUSE, "deadline_excuse")            \
    X(W_CORRELATE, "correlate")               \
    X(W_CORRELATED, "correlated")             \
    X(W_KEY_HOLD, "key_hold")                 \
    X(W_KEY_KNOWN, "key_known")               \
    X(W_NEXT, "next")                         \
    X(W_DECIDE_FRESH, "decide_fresh")         \
    X(W_DECIDE_AGAIN, "decide_again")         \
    X(W_ATTRIBUTES, "attributes")             \
    X(W_VERDICTS, "verdicts")                 \
    X(W_ALERTS_OPEN, "alerts_open")           \
    X(W_ALERTS_RESOLVE, "alerts_resolve")     \
    X(W_PUT_BACK, "put_back")                 \
    X(W_DEAD_LETTERS, "dead_letters")         \
    X(W_CUSTOMER_PUT, "customer_put")         \
    X(W_PROCESS_APPLY, "process_apply")       \
    X(W_DEAD_RETRY, "dead_retry")             \
    X(W_BURY, "bury")                         \
    X(W_ALERT_LOCK, "alert_lock")             \
    X(W_ALERT_PAGES_LOCK, "alert_pages_lock") \
    X(W_ALERT_CHANGE, "alert_change")         \
    X(W_ALERT_WITHDRAW, "alert_withdraw")     \
    X(W_ONCALL_CHANGE, "oncall_change")       \
    X(W_NOTICE_CHANGE, "notice_change")       \
    X(W_MUTE_CHANGE, "mute_change")           \
    X(W_NOTICE_BOUNCED, "notice_bounced")     \
    X(W_HISTORY, "feed_generation")           \
    X(W_HISTORY_NOTE, "history_note")         \
    X(W_REGISTER, "register")

/* The control session's: lease, claims, adoption, the current process, alerts to ops. */
#define CONTROL_STATEMENTS(X)               \
    X(C_LEASE, "lease")                     \
    X(C_CLAIM, "claim")                     \
    X(C_BURY, "bury")                       \
    X(C_ADOPT_FIND, "adopt_find")           \
    X(C_ADOPT_RELEASE, "adopt_release")     \
    X(C_ADOPT_ORPHANS, "adopt_orphans")     \
    X(C_ADOPT_SETTLE, "adopt_settle")       \
    X(C_FAREWELL, "farewell")               \
    X(C_PROCESS_CURRENT, "process_current") \
    X(C_RECOMPUTE, "recompute")             \
    X(C_OPS_ALERT, "ops_alert")             \
    X(C_OPS_RESOLVE, "ops_resolve")         \
    X(C_FAN_CLAIM, "fan_claim")             \
    X(C_FAN_DONE, "fan_done")               \
    X(C_MOVE_CLAIM, "move_claim")           \
    X(C_MOVE_DONE, "move_done")             \
    X(C_FEED_LAG, "feed_lag")               \
    X(C_DEAD_COUNT, "dead_count")

#define STATEMENT_ENUM(id, name) id,
enum writer_statement { WRITER_STATEMENTS(STATEMENT_ENUM) WRITER_STATEMENT_COUNT };
enum control_statement { CONTROL_STATEMENTS(STATEMENT_ENUM) CONTROL_STATEMENT_COUNT };

enum statements_session { SESSION_WRITER, SESSION_CONTROL, SESSION_READER, SESSIONS };

/* The list of a session with the SQL that is built in; the caller frees it. Every name is there: checked at the build's tests. */
struct pg_statement *statements_new(enum statements_session session, size_t *ret_count);

#endif
