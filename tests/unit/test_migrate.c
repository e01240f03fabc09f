/* broker/migrate.h against a private PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embed.h"
#include "migrate.h"
#include "private_pg.h"

static struct private_pg server;

static int setup(void **state)
{
    (void)state;
    return private_pg_start(&server);
}

static int teardown(void **state)
{
    (void)state;
    return private_pg_stop(&server);
}

static int clean(void **state)
{
    (void)state;
    private_pg_sql(&server, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", NULL, 0);
    return 0;
}

static void test_check_of_empty_database_tells_what_to_run(void **state)
{
    struct err err = {0};
    (void)state;
    assert_false(migrate_check(server.dsn, "/etc/docket/broker.yaml", &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "run: docket-broker migrate --config /etc/docket/broker.yaml"));
    assert_null(strchr(err.msg, '\n'));
}

static void test_run_twice_applies_each_file_once(void **state)
{
    struct err err = {0};
    struct migrate_result first = {0}, second = {0};
    (void)state;
    assert_true(migrate_run(server.dsn, NULL, &first, &err));
    assert_int_equal(first.applied, schema_files_count);
    assert_true(migrate_run(server.dsn, NULL, &second, &err));
    assert_int_equal(second.applied, 0);
    assert_int_equal(second.number, first.number);
    assert_true(migrate_check(server.dsn, NULL, &err));
    assert_int_equal(private_pg_number(&server, "SELECT count(*) FROM schema_migrations"),
                     schema_files_count);
}

static void test_eight_at_once_apply_each_file_once(void **state)
{
    enum { PROGRAMS = 8 };
    pid_t pids[PROGRAMS];
    (void)state;
    for (int i = 0; i < PROGRAMS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            struct err err = {0};
            bool ok = migrate_run(server.dsn, NULL, NULL, &err);
            if (!ok)
                (void)fprintf(stderr, "%s\n", err.msg);
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0; i < PROGRAMS; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(private_pg_number(&server, "SELECT count(*) FROM schema_migrations"),
                     schema_files_count);
    assert_int_equal(private_pg_number(&server, "SELECT count(*) FROM pg_class WHERE relname = 'tickets'"),
                     1);
}

static void test_newer_schema_is_refused_and_left_alone(void **state)
{
    struct err err = {0};
    (void)state;
    assert_true(migrate_run(server.dsn, NULL, NULL, &err));
    private_pg_sql(&server, "INSERT INTO schema_migrations VALUES (99, '0099_later.sql', 'x')", NULL, 0);
    assert_false(migrate_run(server.dsn, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "install the newer"));
    assert_false(migrate_check(server.dsn, NULL, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
}

static void test_changed_file_is_refused(void **state)
{
    struct err err = {0};
    (void)state;
    assert_true(migrate_run(server.dsn, NULL, NULL, &err));
    private_pg_sql(&server, "UPDATE schema_migrations SET digest = 'other' WHERE number = 1", NULL, 0);
    assert_false(migrate_run(server.dsn, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "0001_desk.sql"));
}

static void test_file_that_fails_leaves_nothing_behind(void **state)
{
    struct err err = {0};
    (void)state;
    private_pg_sql(&server, "CREATE TABLE links (other integer)", NULL, 0);
    assert_false(migrate_run(server.dsn, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.msg, "0001_desk.sql: "));
    assert_int_equal(private_pg_number(&server, "SELECT count(*) FROM pg_class WHERE relname = 'tickets'"),
                     0);
    assert_int_equal(private_pg_number(&server, "SELECT count(*) FROM schema_migrations"), 0);
}

static void test_empty_database_gets_one_process(void **state)
{
    struct err err = {0};
    struct migrate_result first = {0}, second = {0};
    (void)state;
    assert_true(migrate_run(server.dsn, "deploy/process", &first, &err));
    assert_true(first.made_process);
    assert_true(migrate_run(server.dsn, NULL, &second, &err));
    assert_false(second.made_process);
    assert_int_equal(private_pg_number(&server,
                                       "SELECT count(*) FROM process_log JOIN processes USING (hash) "
                                       "WHERE actor = 'migrate' AND octet_length(files) > 1000"),
                     1);
}

static void test_missing_process_folder_is_refused(void **state)
{
    struct err err = {0};
    (void)state;
    assert_false(migrate_run(server.dsn, "/nonexistent", NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(private_pg_number(&server, "SELECT count(*) FROM process_log"), 0);
}

static void test_no_server_is_unavailable(void **state)
{
    struct err err = {0};
    (void)state;
    assert_false(migrate_run("host=/nonexistent user=docket dbname=postgres", NULL, NULL, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_false(migrate_check("host=/nonexistent user=docket dbname=postgres", NULL, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_check_of_empty_database_tells_what_to_run, clean),
        cmocka_unit_test_setup(test_run_twice_applies_each_file_once, clean),
        cmocka_unit_test_setup(test_eight_at_once_apply_each_file_once, clean),
        cmocka_unit_test_setup(test_newer_schema_is_refused_and_left_alone, clean),
        cmocka_unit_test_setup(test_changed_file_is_refused, clean),
        cmocka_unit_test_setup(test_file_that_fails_leaves_nothing_behind, clean),
        cmocka_unit_test_setup(test_empty_database_gets_one_process, clean),
        cmocka_unit_test_setup(test_missing_process_folder_is_refused, clean),
        cmocka_unit_test(test_no_server_is_unavailable),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
