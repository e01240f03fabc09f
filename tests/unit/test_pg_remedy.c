/* What each SQLSTATE means for a batch, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pg.h"

static const struct {
    const char *sqlstate, *name;
    enum pg_remedy remedy;
} cases[] = {
    {"40001", "serialization_failure", PG_REPEAT},
    {"40P01", "deadlock_detected", PG_REPEAT},
    {"0A000", "feature_not_supported: a cached plan after a migration", PG_PREPARE},
    {"26000", "invalid_sql_statement_name", PG_PREPARE},
    {"55P03", "lock_not_available", PG_SPLIT},
    {"22021", "character_not_in_repertoire", PG_SPLIT},
    {"22P05", "untranslatable_character", PG_SPLIT},
    {"22001", "string_data_right_truncation", PG_SPLIT},
    {"22003", "numeric_value_out_of_range", PG_SPLIT},
    {"23505", "unique_violation", PG_SPLIT},
    {"23514", "check_violation", PG_SPLIT},
    {"54000", "program_limit_exceeded", PG_SPLIT},
    {"57P01", "admin_shutdown", PG_RECONNECT},
    {"57P02", "crash_shutdown", PG_RECONNECT},
    {"57P03", "cannot_connect_now", PG_RECONNECT},
    {"57014", "query_canceled", PG_RECONNECT},
    {"08003", "connection_does_not_exist", PG_RECONNECT},
    {"08006", "connection_failure", PG_RECONNECT},
    {"08P01", "protocol_violation", PG_RECONNECT},
    {"25006", "read_only_sql_transaction", PG_RECONNECT},
    {"53100", "disk_full", PG_WAIT},
    {"53200", "out_of_memory", PG_WAIT},
    {"53300", "too_many_connections", PG_WAIT},
    {"58030", "io_error", PG_WAIT},
    {"42703", "undefined_column", PG_BUG},
    {"42P01", "undefined_table", PG_BUG},
    {"21000", "cardinality_violation", PG_BUG},
    {"XX000", "internal_error", PG_BUG},
    {"25P02", "in_failed_sql_transaction", PG_BUG},
    {"", "nothing", PG_BUG},
};

static void test_pg_remedy_of_each_sqlstate_is_that_of_its_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (pg_remedy(cases[i].sqlstate) != cases[i].remedy)
            fail_msg("%s (%s): %d, want %d", cases[i].sqlstate, cases[i].name,
                     (int)pg_remedy(cases[i].sqlstate), (int)cases[i].remedy);
}

static void test_pg_end_is_passing_when_others_were_in_the_way(void **state)
{
    static const char *const passing[] = {"40001", "40P01", "55P03", "53100", "53200", "58030"};
    static const char *const others[] = {"22021", "23505", "54000", "57014", "0A000", "42P01", ""};
    struct pg_end end = {.outcome = PG_FAILED};
    (void)state;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        (void)snprintf(end.sqlstate, sizeof end.sqlstate, "%s", passing[i]);
        assert_true(pg_end_is_passing(&end));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        (void)snprintf(end.sqlstate, sizeof end.sqlstate, "%s", others[i]);
        assert_false(pg_end_is_passing(&end));
    }
    assert_false(pg_end_is_passing(&(struct pg_end){.outcome = PG_UNKNOWN, .sqlstate = "40P01"}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pg_remedy_of_each_sqlstate_is_that_of_its_row),
        cmocka_unit_test(test_pg_end_is_passing_when_others_were_in_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
