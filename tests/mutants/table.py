"""One mutant a row: a guard taken out, and the tests that must see it. Text is replaced exactly once; a row whose text is gone says so.

A test is `unit/NAME`, the name of a program of tests/unit, or a file below tests/ with a name of it: `system/test_guards.py::NAME`."""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    rule: str  # of "The rules of writing" (R1 …) or the invariant (S1 …) that it breaks
    file: str
    old: str
    new: str
    tests: tuple


def guard(name):
    return (f"system/test_guards.py::{name}",)


LATE = guard("test_a_decision_of_another_attempt_version_or_owner_leaves_nothing")
BESIDE = guard("test_a_decision_beside_a_comment_that_is_not_committed_yet_waits_and_is_stale")
RARE = guard("test_what_a_decision_brings_besides_is_written_only_with_it")
TAKES = guard("test_a_change_takes_the_wake_and_fences_the_former_owner")
OPS = ("system/test_failing.py::test_without_any_worker_ops_are_told_and_when_most_decisions_fail_none_counts",)
BY_HAND = ("system/test_verify.py",)

MUTANTS = [
    # one narrow row decides
    Mutant("decision-any-attempt", "R1", "broker/sql/decide_again.sql", " AND d.attempt = u.attempt_before", "", LATE),
    Mutant("decision-any-version", "R1", "broker/sql/decide_again.sql", " AND d.version = u.version_before", "", LATE),
    Mutant("decision-any-owner", "R1", "broker/sql/decide_again.sql", "d.owner = $16::bigint AND ", "", LATE),
    Mutant("events-of-stale-decisions", "R1", "broker/sql/decide_again.sql", "FROM d JOIN unnest($17", "FROM unnest($1::bigint[]) AS d(ticket) JOIN unnest($17", LATE),
    Mutant("outbox-of-stale-decisions", "R1", "broker/sql/decide_again.sql", "FROM d JOIN unnest($23", "FROM unnest($1::bigint[]) AS d(ticket) JOIN unnest($23", LATE),
    Mutant("guard-in-a-second-table", "R1", "broker/sql/decide_again.sql", "WHERE d.ticket = u.ticket AND d.owner = $16::bigint AND d.attempt = u.attempt_before AND d.version = u.version_before",
           "WHERE d.ticket = u.ticket AND EXISTS (SELECT FROM desk x WHERE x.ticket = u.ticket AND x.owner = $16::bigint AND x.attempt = u.attempt_before AND x.version = u.version_before)", BESIDE),
    Mutant("no-guard-at-all", "R1", "broker/sql/decide_again.sql", " AND d.owner = $16::bigint AND d.attempt = u.attempt_before AND d.version = u.version_before", "",
           ("system/test_failover.py::test_a_paused_broker_wakes_up_and_does_no_harm",)),
    Mutant("events-of-stale-fresh-decisions", "R1", "broker/sql/decide_fresh.sql", "FROM d JOIN unnest($13", "FROM unnest($1::bigint[]) AS d(ticket) JOIN unnest($13",
           ("system/test_failover.py::test_an_op_at_the_other_broker_beats_a_decision_under_way",)),
    Mutant("fresh-decision-overwrites", "R1", "broker/sql/decide_fresh.sql", "ON CONFLICT (ticket) DO NOTHING", "ON CONFLICT (ticket) DO UPDATE SET version = excluded.version", BESIDE),
    Mutant("verdict-without-its-decision", "R1", "broker/sql/verdicts.sql", " AND d.attempt = u.attempt", "", RARE),
    Mutant("verdict-of-an-overtaken-decision", "R1", "broker/sql/verdicts.sql", " AND d.decided = u.version", "", RARE),
    Mutant("verdict-of-an-overtaken-decision-without-events", "R1", "broker/sql/verdicts.sql", " AND d.version = u.version", "", RARE),
    Mutant("alert-of-an-overtaken-decision", "R1", "broker/sql/alerts_open.sql", " AND (d.decided = u.version OR d.dead)", "", RARE),
    Mutant("alert-without-its-decision", "R1", "broker/sql/alerts_open.sql", " AND d.attempt = u.attempt", "", RARE),
    Mutant("attributes-without-their-decision", "R1", "broker/sql/attributes.sql", " AND d.attempt = u.attempt", "", RARE),
    Mutant("letter-without-its-death", "R1", "broker/sql/dead_letters.sql", " AND d.attempt = u.attempt", "", RARE),
    Mutant("resolve-without-its-decision", "R1", "broker/sql/alerts_resolve.sql", " AND d.attempt = u.attempt", "", guard("test_an_alert_is_resolved_only_by_the_decision_that_was_written")),
    # who changes a ticket owns its wake
    Mutant("change-keeps-attempt", "R2", "broker/sql/change.sql", "attempt = d.attempt + 1,", "attempt = d.attempt,", TAKES),
    Mutant("change-keeps-owner", "R2", "broker/sql/change.sql", "owner = $5::bigint,", "owner = d.owner,", TAKES),
    Mutant("change-wakes-nobody", "R2", "broker/sql/change.sql", "wake_at = clock.at,\n           rank = clock.at,", "", TAKES),
    Mutant("change-in-no-lane", "R2", "broker/sql/change.sql", "lane = docket_class(coalesce($13::smallint, d.priority)),", "", TAKES),
    Mutant("next-keeps-owner", "R2", "broker/sql/next.sql", "owner = $4::bigint,", "owner = d.owner,", guard("test_a_ticket_taken_by_next_is_the_taker_s_broker_s")),
    Mutant("retry-keeps-attempt", "R2", "broker/sql/dead_retry.sql", "attempt = d.attempt + 1, ", "", guard("test_dead_retry_takes_the_wake_too")),
    Mutant("two-changes-at-once", "R2", "broker/writer.c", "    if (unit->ticket == 0)\n        return true;\n    HASH_FIND", "    if (unit->ticket >= 0)\n        return true;\n    HASH_FIND", ("unit/test_writer",)),
    Mutant("overtaken-decision-is-sent", "R2", "broker/dispatch.c", "    if (wake->overtaken) {\n        wire_doc_free(doc);", "    if (false) {\n        wire_doc_free(doc);",
           ("system/test_batches.py::test_a_decision_overtaken_by_an_op_is_not_sent",)),
    Mutant("meeting-moved-unseen", "R2", "broker/sql/change.sql", " AND posted.meeting_same", "",
           (*guard("test_of_two_who_read_a_meeting_only_the_first_moves_it"), *guard("test_a_move_waits_for_the_one_that_is_not_committed_yet_and_then_sees_it"),
            "system/test_life.py::test_of_two_moves_of_one_meeting_at_once_the_second_is_busy_and_may_be_repeated")),
    # an epoch belongs to one database session
    Mutant("dead-epoch-is-renewed", "R3", "broker/sql/lease.sql", "NOT dead AND lease_until", "lease_until", guard("test_a_dead_or_lapsed_epoch_is_never_renewed")),
    Mutant("lapsed-epoch-is-renewed", "R3", "broker/sql/lease.sql", " AND lease_until > c.at\nRETURNING", "\nRETURNING", guard("test_a_dead_or_lapsed_epoch_is_never_renewed")),
    Mutant("buried-backend-lives", "R3", "broker/sql/bury.sql", "pg_terminate_backend(a.pid, 2000)", "true", guard("test_burying_an_epoch_ends_its_backend_and_marks_it_dead")),
    Mutant("buried-epoch-is-not-dead", "R3", "broker/sql/bury.sql", "SET dead = true", "SET dead = dead", guard("test_burying_an_epoch_ends_its_backend_and_marks_it_dead")),
    Mutant("adopted-wake-keeps-attempt", "R3", "broker/sql/adopt_release.sql", ", attempt = d.attempt + 1", "", guard("test_wakes_of_a_dead_epoch_are_set_free_under_a_new_attempt")),
    Mutant("orphans-are-left", "R3", "broker/sql/adopt_orphans.sql", "   AND NOT EXISTS (SELECT FROM desk d WHERE d.ticket = t.id)", "   AND false",
           ("system/test_failover.py::test_tickets_of_a_killed_broker_are_decided_by_the_other",)),
    Mutant("settled-too-early", "R3", "broker/sql/adopt_settle.sql", "AND NOT EXISTS", "AND true OR NOT EXISTS", guard("test_an_epoch_is_settled_only_when_nothing_of_it_is_left")),
    Mutant("slot-repeats-numbers", "R3", "broker/sql/register.sql", "greatest(clock.at / 1000000 - 1577836800, coalesce(used.until, 0) + 1)", "clock.at / 1000000 - 1577836800",
           guard("test_slots_and_numbers_of_two_epochs_never_meet")),
    Mutant("repeat-before-the-old-backend-is-gone", "R3", "broker/epoch.c", "    if (broker->epoch_old != 0)\n        epoch_bury(broker);\n    else\n        epoch_register(broker);\n}\n\n/* ---- ending",
           "    epoch_register(broker);\n}\n\n/* ---- ending", ("system/test_unknown.py::test_a_batch_left_behind_on_the_server_never_lands_after_its_epoch",)),
    Mutant("another-history-is-not-seen", "R3", "broker/epoch.c", "    if (!is_other)\n        return;", "    if (true)\n        return;", ("system/test_failover.py::test_a_restored_database_is_known_and_nothing_read_before_counts",)),
    # a batch is one implicit transaction
    Mutant("warning-is-success", "R4", "common/pg.c", "if (end.outcome == PG_OK && pg->warned)", "if (false)", ("system/test_unknown.py::test_a_commit_that_was_cancelled_is_not_taken_for_replicated",)),
    Mutant("failed-commit-is-success", "R4", "common/pg.c", "        pg_note_error(pg, result);\n        /* An error", "        if (!head->is_sync)\n            pg_note_error(pg, result);\n        /* An error",
           ("system/test_batches.py::test_a_commit_that_fails_when_every_statement_went_well_is_the_culprit_s_answer_alone",)),
    Mutant("unknown-claim-is-forgotten", "S7b", "broker/claims.c", "    if (broker->epoch == epoch && pg_is_up(broker->writer_pg))\n        pg_drop", "    if (broker->epoch == epoch && false)\n        pg_drop",
           ("system/test_unknown.py::test_what_was_claimed_and_not_heard_of_is_in_nobody_s_memory_and_decided_all_the_same",)),
    Mutant("no-locks-first", "R4", "broker/writer.c", "    count = batch_tickets(batch, type_locks, tickets);\n    if (count != 0) {", "    count = batch_tickets(batch, type_locks, tickets);\n    if (false) {",
           ("system/test_unknown.py::test_two_brokers_that_change_the_same_tickets_in_other_orders_never_deadlock",)),
    Mutant("claim-waits-for-locks", "R4", "broker/sql/claim.sql", " SKIP LOCKED", "", guard("test_a_claim_skips_what_another_session_holds")),
    Mutant("sweep-waits-for-locks", "R4", "broker/sql/adopt_release.sql", " SKIP LOCKED", "", guard("test_the_sweep_of_a_dead_epoch_skips_what_another_session_holds")),
    Mutant("foreign-key-on-a-hot-table", "R4", "deploy/schema/0001_desk.sql", "CREATE TABLE events (\n    ticket   bigint   NOT NULL,", "CREATE TABLE events (\n    ticket   bigint   NOT NULL REFERENCES tickets (id),",
           guard("test_hot_tables_have_no_foreign_keys")),
    Mutant("a-refused-row-takes-all-along", "R4", "broker/writer.c", "    if (batch->count == 1) {\n        struct err err;", "    if (batch->count >= 1) {\n        struct err err;", ("unit/test_writer",)),
    Mutant("refused-and-answered", "R4", "broker/writer.c", "    case PG_FAILED:\n        batch_failed(batch, end);", "    case PG_FAILED:\n        batch_done(batch, NULL);", ("unit/test_writer",)),
    Mutant("halves-in-the-wrong-order", "R4", "broker/writer.c", "    redo_push(writer, second);\n    redo_push(writer, first);", "    redo_push(writer, first);\n    redo_push(writer, second);", ("unit/test_writer",)),
    # repeating an unknown batch
    Mutant("repeat-in-the-form-that-fails", "R5", "broker/writer.c", "unit->repeat = unit->repeat || sent;", "unit->repeat = unit->repeat && sent;", ("unit/test_writer",)),
    Mutant("unknown-in-another-order", "R5", "broker/writer.c", "    writer->pending = writer->unknown;\n    writer->unknown = (struct unit_list){0};",
           "    for (struct unit *u; (u = list_pop(&writer->unknown)) != NULL; u->next = writer->pending.first, writer->pending.first = u)\n        if (writer->pending.count++ == 0 || writer->pending.last == NULL)\n            writer->pending.last = u;",
           ("unit/test_writer",)),
    Mutant("repeat-reads-only", "R5", "broker/sql/posting_repeat.sql", "DO UPDATE SET content_digest = was.content_digest", "DO NOTHING", guard("test_a_repeated_posting_finds_the_one_that_is_there_and_writes_it")),
    Mutant("found-is-inserted", "R5", "broker/sql/posting_repeat.sql", "xmax = 0 AS inserted", "true AS inserted", guard("test_a_repeated_posting_finds_the_one_that_is_there_and_writes_it")),
    Mutant("own-repeat-is-a-duplicate", "R5", "broker/posting.c", "bool own = posting->stored_id == posting->id;", "bool own = posting->inserted;", ("system/test_unknown.py::test_what_was_committed_and_not_heard_of_is_answered_as_new_once",)),
    Mutant("repeat-is-never-a-duplicate", "R5", "broker/posting.c", "posting_answer(posting, posting->stored_id, posting->posted_at, !own);", "posting_answer(posting, posting->stored_id, posting->posted_at, false);",
           ("system/test_idempotency.py::test_the_same_content_written_otherwise_is_a_duplicate",)),
    Mutant("op-s-key-counts-for-nothing", "R5", "broker/sql/change.sql", "       AND NOT EXISTS (SELECT FROM k)\n", "", ("system/test_idempotency.py::test_an_op_repeated_with_its_key_changes_nothing_more",)),
    Mutant("op-does-not-look-for-ops", "R5", "deploy/schema/0010_one_key.sql", "    IF EXISTS (SELECT FROM keys k WHERE k.digest = docket_key_posted.digest) THEN", "    IF false THEN",
           guard("test_two_ops_with_one_key_at_two_brokers_are_one")),
    Mutant("op-leaves-no-mark", "R5", "broker/sql/change.sql", "docket_key_posted($2::bytea)", "EXISTS (SELECT FROM tickets WHERE key_digest = $2::bytea)", guard("test_an_op_waits_for_a_posting_with_its_key_that_is_not_committed_yet")),
    Mutant("posting-does-not-look-again", "R5", "broker/sql/posting.sql", "docket_keys_free($2::bytea[], count(*), '23505')", "count(*) >= 0", guard("test_a_posting_waits_for_an_op_with_its_key_that_is_not_committed_yet")),
    Mutant("proof-without-a-write", "R5", "broker/sql/find.sql", "UPDATE tickets SET content_digest = content_digest WHERE key_digest = $1::bytea RETURNING id, posted_at", "SELECT id, posted_at FROM tickets WHERE key_digest = $1::bytea",
           guard("test_what_is_told_as_proof_is_written_first")),
    # attempt is only the fence
    Mutant("put-back-of-another-s-wake", "R6", "broker/sql/put_back.sql", "d.owner = $9::bigint AND ", "", guard("test_a_wake_that_is_somebody_else_s_by_now_is_not_put_back")),
    Mutant("put-back-of-an-old-attempt", "R6", "broker/sql/put_back.sql", " AND d.attempt = excluded.attempt - 1", "", guard("test_a_wake_that_is_somebody_else_s_by_now_is_not_put_back")),
    Mutant("failures-stay", "R6", "broker/sql/decide_again.sql", "failures = 0,", "", guard("test_a_committed_decision_counts_as_no_failure_and_a_dead_wake_keeps_its_due_time")),
    Mutant("everybody-s-failure", "R6", "broker/workers_works.c", "        if (alone)\n            config->on_fail(config->arg, wake, \"died\"", "        if (true)\n            config->on_fail(config->arg, wake, \"died\"",
           ("system/test_failing.py::test_a_worker_that_dies_on_one_ticket_costs_only_that_one",)),
    Mutant("failures-count-when-most-fail", "R6", "broker/dispatch.c", "!health_fails(&broker->health, clock_mono_us()) && (alone || !lost)", "(alone || !lost)", OPS),
    Mutant("no-rest", "R6", "broker/wakes.c", "wake->rests_until_us = now + REST_US;", "wake->rests_until_us = 0;", ("system/test_workers.py::test_a_ticket_that_changes_faster_than_it_is_decided_rests_and_gets_decided",)),
    Mutant("dead-never-again", "R6", "broker/sql/dead_retry.sql", "SET dead = false,", "SET dead = true,", guard("test_dead_retry_takes_the_wake_too")),
    # the broker computes the wake
    Mutant("clocks-left-out", "R7", "broker/decision_clocks.c", "if (!clock_goes_on(&old, list, count))", "if (false)", ("unit/test_decision",)),
    Mutant("wake-without-due-times", "R7", "broker/decision_clocks.c", "    if (clock->due_at < decision->next_at)\n        decision->next_at = clock->due_at;", "", ("unit/test_decision",)),
    Mutant("wake-without-warnings", "R7", "broker/decision_clocks.c", "clock->warn_at != INT64_MIN && clock->warn_at < decision->next_at", "false", ("unit/test_decision",)),
    *(Mutant(f"decided-for-an-instant-to-come-{form}", "R7", f"broker/sql/decide_{form}.sql", old, "", guard("test_a_decision_for_an_instant_that_the_databases_clock_has_not_reached_leaves_nothing")) for form, old in
      (("again", "\n       AND u.now_at <= clock.at"), ("fresh", "\n     WHERE u.now_at <= clock.at"))),
    # no rule needed to be told
    Mutant("nobody-hears-of-undecided", "R8", "broker/sql/ops_alert.sql", "VALUES ($1::text, $2::text, $3::smallint, docket_now(), $4::text)", "SELECT $1::text, $2::text, $3::smallint, docket_now(), $4::text WHERE false",
           OPS),
    *(Mutant(f"nobody-hears-of-{name.replace('_', '-')}", "R8", "broker/ops_alerts.c", f"true, holds_{name},", "true, holds_no_process,", OPS) for name in ("undecided", "no_workers", "failing")),
    Mutant("nobody-hears-of-no-process", "R8", "broker/ops_alerts.c", "return broker->process.n == 0 &&", "return false &&",
           ("system/test_failing.py::test_a_desk_without_a_process_tells_ops_until_one_is_applied",)),
    # a key wins; a history that was lost is told
    Mutant("instant-before-the-key", "S1", "broker/posting.c", "key_known_or(broker, call, &err, posting_on_known, broker);", "call_refuse(call, &err);",
           ("system/test_life.py::test_a_key_wins_over_the_limit_of_posted_at",)),
    Mutant("gap-before-the-key", "S1", "broker/oncalling_change.c", "key_known_or(change->plan->broker, change->plan->call, err, change_on_known, change);",
           "change_on_known(change, NULL, err);", ("system/test_alerts.py::test_a_key_wins_over_what_would_be_a_gap_by_now",)),
    *(Mutant(name, "S13", file, old, new, ("system/test_promoted.py::test_who_read_what_was_lost_is_told_and_who_did_not_goes_on",)) for name, file, old, new in
      (("lost-history-goes-on", "common/feed.c", "if (began > timeline && seq > history->branches[i].seq)", "if (false)"),
       ("history-not-noted", "broker/sql/history_note.sql", "CASE WHEN s.is_called THEN s.last_value ELSE 0 END", "9223372036854775807"))),
    Mutant("dump-in-the-place-of-its-original", "S13", "deploy/schema/0022_histories.sql", "h.is_first AND h.database <> d.oid", "false",
           ("system/test_restore.py::test_a_dump_made_under_load_is_restored_and_the_desk_goes_on",)),
    # the lines of verify
    *(Mutant(f"verify-{name}-sees-nothing", name, f"broker/sql/verify_{name.lower()}.sql", "count(*) FILTER (WHERE bad)", "0", BY_HAND) for name in
      ("S1", "S3", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S14")),
    Mutant("verify-S2-sees-nothing", "S2", "broker/sql/verify_s2.sql", "(SELECT count(*) FROM events WHERE version < 2)", "0", BY_HAND),
    Mutant("verify-S4-sees-nothing", "S4", "broker/verify_walk.c", "walk->ticket != 0 && walk->state != walk->stored", "false", BY_HAND),
    Mutant("verify-S6-sees-no-late-wake", "S6", "broker/verify_walk.c", "    if (!pg_bool(rows, row, SLEEPS) || pg_is_null(rows, row, WAKE_AT) || late)", "    if (false)", BY_HAND),
    Mutant("verify-S16-sees-nothing", "S16", "broker/sql/verify_s16.sql", "abs(posted - closed - open)", "0", BY_HAND),
]
