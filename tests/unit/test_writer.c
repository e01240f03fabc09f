/* The writer against a real server: one change of a ticket at a time, a refused row found and the order kept, a batch of which nobody knows
 * whether it was committed repeated in its order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "private_pg.h"
#include "clock.h"
#include "statements.h"
#include "writer.h"

enum { S_LOG = WRITER_STATEMENT_COUNT, S_DIE, STATEMENTS, UNITS = 32 };

/* What a unit does when it is sent. */
enum act {
    ACT_LOG,     /* writes its number */
    ACT_REFUSED, /* writes zero, which the table refuses */
    ACT_DIE      /* ends its own session, the first time */
};

struct probe {
    struct unit unit;
    struct desk *desk;
    int number;
    enum act act;
    bool sent, ended, repeated;
    enum err_code code; /* of the end; ERR_NONE: committed */
};

struct desk {
    struct private_pg server;
    zloop_t *loop;
    struct pg *pg;
    struct pg_params *params;
    struct writer *writer;
    struct pg_statement statements[STATEMENTS];
    struct probe probes[UNITS];
    int count, ended, doubled; /* doubled: units sent while another of their ticket was under way */
    int64_t epoch, deadline_us;
    int until; /* units to be ended */
};

static struct desk desk;

/* ---- units ---- */

static void probe_send(struct unit *unit, struct pg *pg, struct pg_params *params)
{
    struct probe *probe = (struct probe *)unit;

    for (int i = 0; i < desk.count; i++) {
        const struct probe *other = &desk.probes[i];
        if (other != probe && other->unit.ticket == unit->ticket && unit->ticket != 0 && other->sent &&
            !other->ended)
            desk.doubled++;
    }
    probe->sent = true;
    probe->repeated = probe->repeated || unit->repeat;
    if (probe->act == ACT_DIE && !unit->repeat) {
        (void)pg_send(pg, S_DIE, NULL, NULL, NULL);
        return;
    }
    pg_put_int4(params, probe->act == ACT_REFUSED ? 0 : probe->number);
    (void)pg_send(pg, S_LOG, params, NULL, NULL);
}

static void probe_done(struct unit *unit, const struct err *err)
{
    struct probe *probe = (struct probe *)unit;
    assert_false(probe->ended);
    probe->ended = true;
    probe->code = err == NULL ? ERR_NONE : err->code;
    desk.ended++;
}

static const struct unit_type once_type = {.group = GROUP_SINGLE, .send = probe_send, .done = probe_done};
static const struct unit_type again_type = {.group = GROUP_SINGLE,
                                            .repeatable = true,
                                            .send = probe_send,
                                            .done = probe_done};

static struct probe *add(const struct unit_type *type, int64_t ticket, enum act act)
{
    struct probe *probe = &desk.probes[desk.count];
    *probe = (struct probe){.unit = {.type = type, .ticket = ticket, .bytes = 1},
                            .number = ++desk.count,
                            .act = act};
    writer_add(desk.writer, &probe->unit);
    return probe;
}

/* ---- the session ---- */

static void on_made(void *arg, int64_t ticket, int32_t attempt, int32_t version, int64_t wake_at)
{
    (void)arg, (void)ticket, (void)attempt, (void)version, (void)wake_at;
}

static void on_ends(void *arg, bool begins)
{
    (void)arg, (void)begins;
}

static void on_batch(void *arg, size_t units, int64_t took_us)
{
    (void)arg, (void)units, (void)took_us;
}

static void on_full(void *arg, const char *sqlstate, const char *message)
{
    (void)arg, (void)sqlstate, (void)message;
}

static void on_up(void *arg)
{
    (void)arg;
    writer_begin(desk.writer, ++desk.epoch);
}

static void on_down(void *arg, const char *why)
{
    (void)arg, (void)why;
    writer_end(desk.writer);
}

static int on_tick(zloop_t *loop, int timer, void *arg)
{
    (void)loop, (void)timer, (void)arg;
    return (desk.ended >= desk.until && desk.epoch != 0) || clock_mono_us() > desk.deadline_us ? -1 : 0;
}

/* Turns until so many units ended; fails after 20 s. */
static void turn_until(int units)
{
    desk.until = units;
    desk.deadline_us = clock_mono_us() + 20 * US_PER_S;
    writer_kick(desk.writer);
    int timer = zloop_timer(desk.loop, 1, 0, on_tick, NULL);
    (void)zloop_start(desk.loop);
    (void)zloop_timer_end(desk.loop, timer);
    assert_true(desk.ended >= units && desk.epoch != 0);
}

static int setup(void **state)
{
    struct err err;
    (void)state;
    if (private_pg_start(&desk.server) != 0)
        return -1;
    private_pg_sql(&desk.server, "CREATE TABLE log (at serial PRIMARY KEY, number int CHECK (number > 0));",
                   NULL, 0);
    for (int i = 0; i < STATEMENTS;
         i++) /* the broker's own are not used here: no unit makes or locks a desk row */
        desk.statements[i] = (struct pg_statement){"", "SELECT 1"};
    static char names[STATEMENTS][8];
    for (int i = 0; i < STATEMENTS; i++) {
        (void)snprintf(names[i], sizeof names[i], "s%d", i);
        desk.statements[i].name = names[i];
    }
    desk.statements[S_LOG].sql = "INSERT INTO log (number) VALUES ($1::integer)";
    desk.statements[S_DIE].sql = "SELECT pg_terminate_backend(pg_backend_pid())";
    struct pg_config config = {.dsn = desk.server.dsn,
                               .name = "test-writer",
                               .statements = desk.statements,
                               .statement_count = STATEMENTS,
                               .on_up = on_up,
                               .on_down = on_down};
    desk.loop = zloop_new();
    desk.params = pg_params_new();
    if (!pg_new(desk.loop, &config, &desk.pg, &err))
        return -1;
    struct writer_config writer = {.pg = desk.pg,
                                   .on_made = on_made,
                                   .on_ends = on_ends,
                                   .on_batch = on_batch,
                                   .on_full = on_full,
                                   .pending_max = 1000};
    desk.writer = writer_new(&writer);
    turn_until(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pg_free(desk.pg);
    writer_free(desk.writer);
    pg_params_free(desk.params);
    zloop_destroy(&desk.loop);
    return private_pg_stop(&desk.server);
}

static int empty(void **state)
{
    (void)state;
    private_pg_sql(&desk.server, "TRUNCATE log", NULL, 0);
    desk.count = desk.ended = desk.doubled = 0;
    return 0;
}

static void assert_log(const char *numbers)
{
    char text[256];
    private_pg_sql(&desk.server, "SELECT coalesce(string_agg(number::text, ' ' ORDER BY at), '') FROM log",
                   text, sizeof text);
    assert_string_equal(text, numbers);
}

/* ---- the tests ---- */

static void test_writer_changes_of_one_ticket_go_one_after_another(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++)
        add(&once_type, i % 2 == 0 ? 7 : 8 + i, ACT_LOG);
    turn_until(6);
    assert_int_equal(desk.doubled, 0);
    assert_int_equal(private_pg_number(&desk.server, "SELECT count(*) FROM log"), 6);
    assert_int_equal(private_pg_number(&desk.server,
                                       "SELECT count(*) FROM (SELECT number < lag(number) OVER (ORDER BY at) "
                                       "AS falls FROM log WHERE number % 2 = 1) x WHERE falls"),
                     0);
}

static void test_writer_finds_the_refused_row_and_keeps_the_rest_in_order(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++)
        add(&once_type, 0, i == 2 || i == 5 ? ACT_REFUSED : ACT_LOG);
    turn_until(9);
    for (int i = 0; i < 9; i++)
        assert_int_equal(desk.probes[i].code, i == 2 || i == 5 ? ERR_INTERNAL : ERR_NONE);
    assert_log("1 2 4 5 7 8 9");
}

static void test_writer_repeats_what_is_unknown_in_its_order_and_before_what_comes(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++)
        add(&again_type, i + 1, i == 3 ? ACT_DIE : ACT_LOG);
    struct probe *guarded = add(&once_type, 50, ACT_LOG);
    turn_until(7);
    assert_int_equal(guarded->code, ERR_UNAVAILABLE); /* its guard ended with the epoch */
    for (int i = 0; i < 6; i++) {
        assert_int_equal(desk.probes[i].code, ERR_NONE);
        assert_true(desk.probes[i].repeated);
    }
    assert_log("1 2 3 4 5 6");
}

static void test_writer_without_an_epoch_ends_units_at_once(void **state)
{
    (void)state;
    int64_t epoch = desk.epoch;
    writer_end(desk.writer);
    assert_int_equal(add(&again_type, 1, ACT_LOG)->code, ERR_UNAVAILABLE);
    writer_begin(desk.writer, epoch);
    assert_log("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_writer_changes_of_one_ticket_go_one_after_another, empty),
        cmocka_unit_test_setup(test_writer_finds_the_refused_row_and_keeps_the_rest_in_order, empty),
        cmocka_unit_test_setup(test_writer_repeats_what_is_unknown_in_its_order_and_before_what_comes, empty),
        cmocka_unit_test_setup(test_writer_without_an_epoch_ends_units_at_once, empty),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
