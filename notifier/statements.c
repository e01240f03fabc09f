/* The notifier's SQL; see statements.h. */
#include "statements.h"
#include "embed.h"

#include <assert.h>

static const char *const tell_names[TELL_STATEMENTS] = {
    [TELL_TARGET_LOCK] = "target_lock",
    [TELL_TARGET_URGENT] = "target_urgent",
    [TELL_TARGET_MERGE] = "target_merge",
    [TELL_TARGET_LIMIT] = "target_limit",
    [TELL_TARGET_BUNDLE] = "target_bundle",
    [TELL_TARGET_LEASES] = "target_leases",
    [TELL_TARGET_NEXT] = "target_next",
    [TELL_TARGET_REPAIR] = "target_repair",
    [TELL_LEASES_BACK] = "leases_back",
    [TELL_DELIVERY_CLAIM] = "delivery_claim",
    [TELL_JOINED_LOCK] = "joined_lock",
    [TELL_DELIVERY_REFUSE] = "delivery_refuse",
    [TELL_ATTEMPT_START] = "attempt_start",
    [TELL_ATTEMPT_END] = "attempt_end",
    [TELL_PROCESS_CURRENT] = "process_current",
    [TELL_BACKLOG] = "backlog",
    [TELL_PLANS_DISCARD] = "plans_discard",
    [TELL_BEAT] = "tell_beat",
    [TELL_RELAY_SHARE] = "relay_share",
    [TELL_ALERT_QUIET] = "alert_quiet",
    [TELL_MUTES_END] = "mutes_end",
    [TELL_ESCAL_OVERRIDES] = "escal_overrides",
    [TELL_ESCAL_CLAIM] = "escal_claim",
    [TELL_ESCAL_NEXT] = "escal_next",
    [TELL_ESCAL_HOLD] = "escal_hold",
    [TELL_ESCAL_ADVANCE] = "escal_advance",
    [TELL_ESCAL_STEP] = "escal_step",
    [TELL_ESCAL_OVER] = "escal_over",
    [TELL_LINK_TICKET] = "link_ticket",
    [TELL_ESCAL_WITHDRAW] = "escal_withdraw",
    [TELL_GAP_NOW] = "gap_now",
    [TELL_GAP_OVERRIDES] = "gap_overrides",
    [TELL_FOUND_ALERTS] = "found_alerts",
    [TELL_LINK_ALERT] = "link_alert",
    [TELL_ANSWER_ALERT] = "answer_alert",
    [TELL_GATEWAY_RESULT] = "gateway_result",
};

static const char *const unpack_names[UNPACK_STATEMENTS] = {
    [UNPACK_CLAIM] = "outbox_claim",          [UNPACK_MERGE] = "outbox_merge",
    [UNPACK_EXPAND] = "outbox_expand",        [UNPACK_MERGED] = "outbox_merged",
    [UNPACK_PLANS_DISCARD] = "plans_discard",
};

static const char *const feed_names[FEED_STATEMENTS] = {
    [FEED_GENERATION] = "feed_generation",
    [FEED_SEQ] = "feed_seq",
    [FEED_FENCE] = "feed_fence",
    [FEED_XMIN] = "feed_xmin",
    [FEED_PAGE] = "feed_page",
};

static const char *const audit_names[AUDIT_STATEMENTS] = {
    [AUDIT_LOOK] = "audit",
    [AUDIT_ALERTS] = "found_alerts",
};

static void statements_fill(const char *const *names, size_t count, struct pg_statement *ret)
{
    for (size_t i = 0; i < count; i++) {
        char file[64];
        (void)snprintf(file, sizeof file, "%s.sql", names[i]);
        const struct embed_file *sql = embed_find(notifier_sql, notifier_sql_count, file);
        assert(sql != NULL);
        ret[i] = (struct pg_statement){.name = names[i], .sql = (const char *)sql->data};
    }
}

void statements_tell(struct pg_statement *ret)
{
    statements_fill(tell_names, TELL_STATEMENTS, ret);
}

void statements_unpack(struct pg_statement *ret)
{
    statements_fill(unpack_names, UNPACK_STATEMENTS, ret);
}

void statements_feed(struct pg_statement *ret)
{
    statements_fill(feed_names, FEED_STATEMENTS, ret);
}

void statements_audit(struct pg_statement *ret)
{
    statements_fill(audit_names, AUDIT_STATEMENTS, ret);
}
