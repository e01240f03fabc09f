/* Versions of the process that a worker holds, and what becomes of them when the zone data is replaced under it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "instant.h"
#include "versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEST_ZONES "tests/zones"

enum { BYTES_MAX = 1 << 16 };

static char dir[64];

/* As dpkg does: written beside, then put in its place. */
static void file_put(const char *name, const char *bytes, size_t len)
{
    char path[128], beside[128];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)snprintf(beside, sizeof beside, "%s/new", dir);
    FILE *file = fopen(beside, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(beside, path), 0);
}

static void zone_put(const char *name, const char *like)
{
    char path[128], *bytes = malloc(BYTES_MAX);

    assert_non_null(bytes);
    (void)snprintf(path, sizeof path, TEST_ZONES "/%s", like);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    file_put(name, bytes, fread(bytes, 1, BYTES_MAX, file));
    (void)fclose(file);
    free(bytes);
}

/* {hash, files} as a broker sends it. */
static struct wire_doc *process_doc(void)
{
    static const char *const list[][2] = {
        {"process.yaml", "zone: Here\n"},
        {"calendars.yaml", "office: {hours: {mon-fri: [09:00-17:00]}}\n"},
        {"packages.yaml", "standard: {}\n"},
        {"rules/1.yaml", "- {rule: z, default: true, then: {priority: 3}}\n"},
    };
    struct process_files files = {NULL, 0};
    char hash[PROCESS_HASH_BYTES];
    struct wire_doc *doc = NULL;
    struct err err = {0};
    struct buf out;

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        assert_true(process_files_add(&files, span_of(list[i][0]), span_of(list[i][1]), &err));
    process_files_hash(&files, hash);
    buf_init(&out, BYTES_MAX);
    wire_put_map(&out, 2);
    wire_put_key_text(&out, "hash", hash);
    wire_put_text(&out, "files");
    process_files_encode(&files, &out);
    assert_true(wire_parse(out.p, out.len, 8, &doc, &err));
    buf_clear(&out);
    process_files_clear(&files);
    return doc;
}

/* When the office opens on Monday, 5 January 2026. */
static void opens_at(const struct engine *engine, const char *want)
{
    const struct calendar *office = engine_calendar(engine, span_of("office"));
    int64_t start = 0, due = 0;
    char text[INSTANT_BYTES];

    assert_non_null(office);
    assert_true(instant_parse(span_of("2026-01-04T12:00:00Z"), &start));
    assert_true(calendar_due(office, start, 0, &due, NULL));
    (void)instant_format(due, text);
    assert_string_equal(text, want);
}

static int dir_make(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/docket-zones-XXXXXX");
    assert_non_null(mkdtemp(dir));
    zone_put("Here", "UTC");
    file_put("tzdata.zi", "# version 2026a\n", 16);
    return 0;
}

static int dir_remove(void **state)
{
    static const char *const names[] = {"Here", "tzdata.zi", "new"};
    char path[128];
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

static void test_new_zone_data_is_taken_when_it_is_steady(void **state)
{
    struct versions *versions = versions_new(dir);
    struct wire_doc *doc = process_doc();
    struct faults faults = {NULL, 0, 0};
    struct engine *engine = NULL;
    (void)state;

    assert_true(versions_use(versions, wire_root(doc), &engine, &faults));
    opens_at(engine, "2026-01-05T09:00:00Z");
    assert_string_equal(engine_zones(engine), "2026a");
    assert_int_equal(versions_renew(versions, &faults), 0);
    assert_int_equal(versions_renew(versions, &faults), 0);

    zone_put("Here", "Asia/Kathmandu");
    assert_int_equal(versions_renew(versions, &faults), 0); /* perhaps still being unpacked */
    file_put("tzdata.zi", "# version 2026b\n", 16);
    assert_int_equal(versions_renew(versions, &faults), 0); /* it was */
    opens_at(engine, "2026-01-05T09:00:00Z");
    assert_int_equal(versions_renew(versions, &faults), 1);
    opens_at(engine, "2026-01-05T03:15:00Z");
    assert_string_equal(engine_zones(engine), "2026b");
    assert_non_null(strstr(engine_by(engine), " 2026b"));
    assert_int_equal(versions_renew(versions, &faults), 0);
    assert_int_equal(faults.count, 0);

    versions_drop(versions, engine);
    versions_free(versions);
    wire_doc_free(doc);
}

static void test_zone_data_that_cannot_be_used_changes_nothing(void **state)
{
    struct versions *versions = versions_new(dir);
    struct wire_doc *doc = process_doc();
    struct faults faults = {NULL, 0, 0};
    struct engine *engine = NULL;
    (void)state;

    zone_put("Here", "UTC");
    assert_true(versions_use(versions, wire_root(doc), &engine, &faults));
    file_put("Here", "TZif?", 5);
    assert_int_equal(versions_renew(versions, &faults), 0);
    assert_int_equal(faults.count, 0);
    assert_int_equal(versions_renew(versions, &faults), 0);
    assert_int_equal(faults.count, 1);
    assert_non_null(strstr(faults.items[0].text, "zone: time zone Here"));
    opens_at(engine, "2026-01-05T09:00:00Z");
    assert_int_equal(versions_renew(versions, &faults), 0);
    assert_int_equal(faults.count, 1); /* told once */
    zone_put("Here", "Asia/Kathmandu");
    assert_int_equal(versions_renew(versions, &faults), 0);
    assert_int_equal(versions_renew(versions, &faults), 1);
    opens_at(engine, "2026-01-05T03:15:00Z");

    faults_clear(&faults);
    versions_free(versions);
    wire_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_zone_data_is_taken_when_it_is_steady),
        cmocka_unit_test(test_zone_data_that_cannot_be_used_changes_nothing),
    };
    return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
