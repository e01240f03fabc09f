/* The statements of the reader's session: X(NAME, "file below broker/sql without .sql"). Their order is their
 * index. */
#ifndef DOCKET_STATEMENTS_READER_H
#define DOCKET_STATEMENTS_READER_H

#define STATEMENTS_READER(X)                         \
    X(READER_LOAD_WORK, "load_work")                 \
    X(READER_LOAD_EVENTS, "load_events")             \
    X(READER_READ_SHOW, "read_show")                 \
    X(READER_READ_LINKS, "read_links")               \
    X(READER_READ_MESSAGES, "read_messages")         \
    X(READER_READ_HISTORY, "read_history")           \
    X(READER_LIST_NEWEST, "read_list_newest")        \
    X(READER_LIST_OLDEST, "read_list_oldest")        \
    X(READER_FEED_HISTORIES, "feed_histories")       \
    X(READER_FEED_XMIN, "feed_xmin")                 \
    X(READER_FEED_SEQ, "feed_seq")                   \
    X(READER_FEED_FENCE, "feed_fence")               \
    X(READER_READ_EVENTS, "read_events")             \
    X(READER_READ_EVENTS_FEW, "read_events_few")     \
    X(READER_CUSTOMER_SIZE, "customer_size")         \
    X(READER_CUSTOMER_GET, "customer_get")           \
    X(READER_PROCESS_GET, "process_get")             \
    X(READER_PROCESS_LIST, "process_list")           \
    X(READER_DEAD_LIST, "dead_list")                 \
    X(READER_TRYING_PAGE, "trying_page")             \
    X(READER_NEXT_PEEK, "next_peek")                 \
    X(READER_ALERT_LIST, "alert_list")               \
    X(READER_ALERT_SHOW, "alert_show")               \
    X(READER_ALERTS_QUIET, "alerts_quiet")           \
    X(READER_ALERT_STEPS, "alert_steps")             \
    X(READER_ALERT_MESSAGES, "alert_messages")       \
    X(READER_NOTICE_LIST, "notice_list")             \
    X(READER_NOTICE_SHOW, "notice_show")             \
    X(READER_NOTICE_ATTEMPTS, "notice_attempts")     \
    X(READER_NOTICE_TELLING, "notice_telling")       \
    X(READER_NOTICE_WAITS, "notice_waits")           \
    X(READER_DEADLINE_LIST, "deadline_list")         \
    X(READER_FAN_EVENT, "fan_event")                 \
    X(READER_FAN_PAGE, "fan_page")                   \
    X(READER_MUTE_LIST, "mute_list")                 \
    X(READER_ONCALL_REV, "oncall_rev")               \
    X(READER_MEETING_GET, "meeting_get")             \
    X(READER_MEETING_ATTENDEES, "meeting_attendees") \
    X(READER_READ_TASKS, "read_tasks")               \
    X(READER_READ_MEETINGS, "read_meetings")         \
    X(READER_READ_DEADLINES, "read_deadlines")       \
    X(READER_CUSTOMER_OPEN, "customer_open")         \
    X(READER_LATE, "late")                           \
    X(READER_FORECAST_TICKETS, "forecast_tickets")   \
    X(READER_FORECAST_HANDLED, "forecast_handled")   \
    X(READER_FORECAST_STAFF, "forecast_staff")       \
    X(READER_ONCALL_OVERRIDES, "oncall_overrides")

enum reader_statement {
#define X(name, file) name,
    STATEMENTS_READER(X)
#undef X
        READER_STATEMENTS
};

/* For pg_config.session_sql of the reader: the statements of one batch see one snapshot; optional filters get
 * a plan for the values at hand; nothing a reader asks may hold the session for long, nor wait there for whoever
 * holds a table: what the workers are to be told is read behind it. */
#define READER_SESSION_SQL                                                                                \
    "SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on; SET " \
    "plan_cache_mode = force_custom_plan; SET "                                                           \
    "statement_timeout = '10s'; SET lock_timeout = '500ms'; "                                             \
    "SET jit = off"

#endif
