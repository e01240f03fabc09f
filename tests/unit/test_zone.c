/* The reader of zone files, on small files of our own (tests/zones): known changes, rules, and what is not sound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "instant.h"
#include "mem.h"
#include "zone.h"
#include "zone_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZONES "tests/zones"

static int64_t instant_of(const char *text)
{
    int64_t at = 0;
    if (!instant_parse(span_of(text), &at))
        fail_msg("%s is no instant", text);
    return at / US_PER_S;
}

/* The offset just before an instant and at it. */
static const struct offset_row {
    const char *zone, *at;
    int32_t before_s, after_s;
} offset_rows[] = {
    {"Europe/Berlin", "2026-03-29T01:00:00Z", 3600, 7200},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", 7200, 3600},
    {"Europe/Berlin", "1995-09-24T01:00:00Z", 7200, 3600}, /* until 1995 in September */
    {"Europe/Berlin", "2037-10-25T01:00:00Z", 7200, 3600},
    {"Europe/Berlin", "2038-03-28T01:00:00Z", 3600,
     7200}, /* the last listed change is of 2037: the rule goes on */
    {"Europe/Berlin", "2100-10-31T01:00:00Z", 7200, 3600},
    {"Europe/Dublin", "2026-03-29T01:00:00Z", 0, 3600}, /* negative summer time in the file */
    {"Europe/Dublin", "2090-10-29T01:00:00Z", 3600, 0},
    {"Europe/Istanbul", "2016-03-27T01:00:00Z", 7200, 10800},
    {"Europe/Istanbul", "2016-10-30T01:00:00Z", 10800, 10800}, /* no change any more */
    {"Europe/Istanbul", "2100-10-31T01:00:00Z", 10800, 10800},
    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", 39600, 37800},
    {"Australia/Lord_Howe", "2099-10-03T15:30:00Z", 37800, 39600},
    {"America/St_Johns", "2009-11-01T02:31:00Z", -9000, -12600},
    {"America/St_Johns", "2026-03-08T05:30:00Z", -12600, -9000},
    {"Asia/Kathmandu", "1985-12-31T18:30:00Z", 19800, 20700},
    {"Asia/Kathmandu", "2100-01-01T00:00:00Z", 20700, 20700},
    {"Pacific/Apia", "2011-12-30T10:00:00Z", -36000, 50400},
    {"America/Sao_Paulo", "2019-02-17T02:00:00Z", -7200, -10800},
    {"Africa/Monrovia", "1972-01-07T00:44:30Z", -2670, 0},
    {"UTC", "2026-03-29T01:00:00Z", 0, 0},
};

static void test_offset_around_each_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof offset_rows / sizeof offset_rows[0]; i++) {
        const struct offset_row *row = &offset_rows[i];
        struct zone *zone = NULL;
        int64_t at = instant_of(row->at);
        assert_true(zone_open(ZONES, row->zone, &zone, NULL));
        if (zone_offset(zone, at - 1) != row->before_s || zone_offset(zone, at) != row->after_s)
            fail_msg("%s %s: got %d, %d", row->zone, row->at, (int)zone_offset(zone, at - 1),
                     (int)zone_offset(zone, at));
        zone_free(zone);
    }
}

static void test_spans_go_on_without_gaps(void **state)
{
    struct zone *zone = NULL;
    (void)state;

    assert_true(zone_open(ZONES, "Europe/Berlin", &zone, NULL));
    assert_int_equal(zone_span_start(zone, 0), INT64_MIN);
    assert_int_equal(zone_span_start(zone, zone_spans(zone)), INT64_MAX);
    for (size_t i = 1; i < zone_spans(zone); i++) {
        assert_true(zone_span_start(zone, i) > zone_span_start(zone, i - 1));
        assert_int_not_equal(zone_span_offset(zone, i), zone_span_offset(zone, i - 1));
        assert_int_equal(zone_span_at(zone, zone_span_start(zone, i)), i);
        assert_int_equal(zone_span_at(zone, zone_span_start(zone, i) - 1), i - 1);
    }
    /* Two changes a year, from 1981 to 2101. */
    assert_true(zone_spans(zone) > 2 * (2101 - 1981));
    zone_free(zone);
}

static void test_names_that_may_not_be_looked_up(void **state)
{
    static const char *const bad[] = {"",     "/etc/passwd", "../UTC", "Europe/../UTC",  "Europe//Berlin",
                                      "UTC/", "Europe/B\n",  "a b",    "Europe\\Berlin", "."};
    static const char *const good[] = {"UTC", "Etc/GMT+1", "America/Port-au-Prince",
                                       "America/Argentina/Buenos_Aires"};
    char longest[ZONE_NAME_MAX + 2];
    struct err err;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct zone *zone = NULL;
        if (zone_name_check(bad[i], &err) || zone_open(ZONES, bad[i], &zone, &err))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(err.code, ERR_INVALID);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(zone_name_check(good[i], &err));
    memset(longest, 'a', sizeof longest);
    longest[ZONE_NAME_MAX + 1] = '\0';
    assert_false(zone_name_check(longest, &err));
}

static void test_what_is_no_zone_file_is_refused(void **state)
{
    static const char *const names[] = {"source.zi", "Europe", "Nowhere/City"};
    struct zone *zone = NULL;
    struct err err;
    (void)state;

    assert_false(zone_name_check(names[0], &err)); /* a dot */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_false(zone_open(ZONES, names[i], &zone, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_false(zone_parse("", 0, &zone, &err));
    assert_false(zone_parse("TZif1", 5, &zone, &err));
    assert_null(zone);
}

static unsigned char *file_of(const char *name, size_t *ret_len)
{
    char path[200];
    unsigned char *bytes = mem_new(1 << 16, 1);
    (void)snprintf(path, sizeof path, "%s/%s", ZONES, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *ret_len = fread(bytes, 1, 1 << 16, file);
    (void)fclose(file);
    return bytes;
}

/* Whatever the bytes: refused, or a zone that can be asked; under the sanitizers also without a read too far. */
static void test_damaged_files_never_do_harm(void **state)
{
    size_t len = 0, refused = 0;
    unsigned char *bytes = file_of("Australia/Lord_Howe", &len);
    uint32_t seed = 4711;
    (void)state;

    for (size_t cut = 0; cut < len; cut++) {
        struct zone *zone = NULL;
        unsigned char *part =
            mem_dup(bytes, cut == 0 ? 1 : cut); /* a block of its own, so that a read beyond it is seen */
        assert_false(zone_parse(part, cut, &zone, NULL));
        free(part);
    }
    for (int round = 0; round < 20000; round++) {
        struct zone *zone = NULL;
        unsigned char *copy = mem_dup(bytes, len);
        for (int change = 0; change < 1 + round % 3; change++) {
            seed = seed * 1664525 + 1013904223;
            /* The head and the footer are where it hurts. */
            size_t place = (seed & 1) != 0   ? (seed >> 8) % len
                           : (seed & 2) != 0 ? (seed >> 8) % 44
                                             : len - 1 - (seed >> 8) % 40;
            copy[place] = (unsigned char)(seed >> 16);
        }
        if (zone_parse(copy, len, &zone, NULL)) {
            for (size_t i = 1; i < zone_spans(zone); i++)
                assert_true(zone_span_start(zone, i) > zone_span_start(zone, i - 1));
            (void)zone_offset(zone, 1800000000);
            zone_free(zone);
        } else {
            refused++;
        }
        free(copy);
    }
    assert_true(refused > 1000);
    free(bytes);
}

/* The rule is followed from the last change on: one thousands of years ago is followed from where there is room for what comes of it. */
static void test_last_change_long_ago_leaves_room_for_the_rule(void **state)
{
    static const char footer[] = "CET-1CEST,M3.5.0,M10.5.0/3\n";
    struct zone *zone = NULL;
    size_t len = 0;
    (void)state;

    for (int bits = 32; bits < 63; bits++) {
        unsigned char bytes[200] = {0};
        int64_t last_s = -(INT64_C(1) << bits);
        for (size_t block = 0; block < 2;
             block++) { /* the first is empty but for a type, as old readers want it */
            memcpy(bytes + 45 * block + 5 * block, "TZif2", 5);
            bytes[50 * block + 32 + 3] = (unsigned char)block; /* changes */
            bytes[50 * block + 36 + 3] = 1;                    /* types */
        }
        for (size_t i = 0; i < 8; i++)
            bytes[50 + 44 + i] = (unsigned char)((uint64_t)last_s >> (8 * (7 - i)));
        len = 50 + 44 + 8 + 1 + 6; /* the change, which type, the type */
        bytes[len++] = '\n';
        memcpy(bytes + len, footer, sizeof footer - 1);
        len += sizeof footer - 1;
        assert_true(zone_parse(bytes, len, &zone, NULL));
        assert_int_equal(zone_offset(zone, instant_of("2026-07-01T00:00:00Z")), 7200);
        assert_int_equal(zone_offset(zone, instant_of("2026-12-01T00:00:00Z")), 3600);
        zone_free(zone);
    }
}

static const struct rule_row {
    const char *text;
    bool ok;
    const char *summer, *standard; /* instants of the changes in 2026, or NULL: no summer time */
} rule_rows[] = {
    {"UTC0", true, NULL, NULL},
    {"<+0545>-5:45", true, NULL, NULL},
    {"CET-1CEST,M3.5.0,M10.5.0/3", true, "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", true, "2026-10-25T01:00:00Z", "2026-03-29T01:00:00Z"},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", true, "2026-10-03T15:30:00Z", "2026-04-04T15:00:00Z"},
    {"EST5EDT,J60,J365/-1", true, "2026-03-01T07:00:00Z", "2026-12-31T03:00:00Z"},
    {"EST5EDT,59/0,364/167:59:59", true, "2026-03-01T05:00:00Z", "2027-01-07T03:59:59Z"},
    {"", false, NULL, NULL},
    {"CET", false, NULL, NULL},
    {"C-1", false, NULL, NULL},
    {"CET-1CEST", false, NULL, NULL}, /* without dates nobody knows when */
    {"CET-1CEST,M3.5.0", false, NULL, NULL},
    {"CET-1CEST,M13.5.0,M10.5.0", false, NULL, NULL},
    {"CET-1CEST,M3.6.0,M10.5.0", false, NULL, NULL},
    {"CET-1CEST,J0,M10.5.0", false, NULL, NULL},
    {"CET-1CEST,M3.5.0,M10.5.0/168", false, NULL, NULL},
    {"CET-1CEST,M3.5.0,M10.5.0x", false, NULL, NULL},
    {"<+05-5", false, NULL, NULL},
    {"CET-25", false, NULL, NULL},
};

static void test_rules_of_footers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rule_rows / sizeof rule_rows[0]; i++) {
        const struct rule_row *row = &rule_rows[i];
        struct zone_rule rule;
        bool ok = zone_rule_parse(span_of(row->text), &rule);
        if (ok != row->ok || (ok && rule.has_summer != (row->summer != NULL)))
            fail_msg("\"%s\"", row->text);
        if (row->summer == NULL)
            continue;
        if (zone_date_instant(&rule.to_summer, 2026, rule.standard_s) != instant_of(row->summer) ||
            zone_date_instant(&rule.to_standard, 2026, rule.summer_s) != instant_of(row->standard))
            fail_msg("\"%s\": %lld, %lld", row->text,
                     (long long)zone_date_instant(&rule.to_summer, 2026, rule.standard_s),
                     (long long)zone_date_instant(&rule.to_standard, 2026, rule.summer_s));
    }
}

static void test_version_is_that_of_the_directory(void **state)
{
    char dir[] = "/tmp/docket-zones-XXXXXX", path[64], version[ZONE_VERSION_BYTES] = "x";
    (void)state;

    assert_non_null(mkdtemp(dir));
    zone_data_version(dir, version);
    assert_string_equal(version, ""); /* it does not tell */
    (void)snprintf(path, sizeof path, "%s/tzdata.zi", dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("# version 2026f\nR d 1916 o - Jun 14 23s 1 S\n", file);
    (void)fclose(file);
    zone_data_version(dir, version);
    assert_string_equal(version, "2026f");
    (void)unlink(path);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offset_around_each_change),
        cmocka_unit_test(test_spans_go_on_without_gaps),
        cmocka_unit_test(test_names_that_may_not_be_looked_up),
        cmocka_unit_test(test_what_is_no_zone_file_is_refused),
        cmocka_unit_test(test_damaged_files_never_do_harm),
        cmocka_unit_test(test_last_change_long_ago_leaves_room_for_the_rule),
        cmocka_unit_test(test_rules_of_footers),
        cmocka_unit_test(test_version_is_that_of_the_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
