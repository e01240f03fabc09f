/* The codec: what is written reads back the same; every truncation, hostile header and random byte is refused or whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire_internal.h"
#include "utf8.h"
#include "wire_same.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool parses(const void *bytes, size_t len, unsigned depth_max, struct err *err)
{
    struct wire_doc *doc = NULL;
    bool ok = wire_parse(bytes, len, depth_max, &doc, err);
    wire_doc_free(doc);
    return ok;
}

static const int64_t numbers[] = {0,     1,         127,       128,        255,       256,       65535,
                                  65536, INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, -1,
                                  -32,   -33,       -128,      -129,       -32768,    -32769,    1000000};
static const size_t lengths[] = {0, 1, 31, 32, 255, 256, 65535, 65536};

/* A map with every type and with lengths on both sides of each header's form. */
static void put_everything(struct buf *out)
{
    static char text[65536];
    memset(text, 'x', sizeof text);
    wire_put_map(out, 8);
    wire_put_text(out, "nil"), wire_put_nil(out);
    wire_put_key_bool(out, "yes", true);
    wire_put_key_bool(out, "no", false);
    wire_put_text(out, "float"), wire_put_float(out, -2.5);
    wire_put_text(out, "ints"), wire_put_list(out, COUNT_OF(numbers));
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        wire_put_int(out, numbers[i]);
    wire_put_text(out, "texts"), wire_put_list(out, COUNT_OF(lengths));
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        wire_put_str(out, (struct span){text, lengths[i]});
    wire_put_text(out, "bins"), wire_put_list(out, COUNT_OF(lengths));
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        wire_put_bin(out, (struct span){text, lengths[i]});
    wire_put_text(out, "deep"), wire_put_list(out, 1), wire_put_map(out, 1);
    wire_put_key_text(out, "ключ", "\xf0\x9f\x93\x9e");
}

static void put_small(struct buf *out)
{
    wire_put_map(out, 4);
    wire_put_key_int(out, "dkt", 1);
    wire_put_key_text(out, "op", "ticket.submit");
    wire_put_text(out, "id"), wire_put_float(out, 0.5);
    wire_put_text(out, "body"), wire_put_map(out, 2);
    wire_put_key_int(out, "n", INT64_MIN);
    wire_put_text(out, "list"), wire_put_list(out, 3);
    wire_put_bin(out, (struct span){"\0\1", 2}), wire_put_nil(out), wire_put_bool(out, true);
}

/* msgpack-c reads the same out of the bytes; a float of 32 bits is given its own type by both. */
static void check_library_reads_the_same(const char *bytes, size_t len, const struct wire_doc *doc)
{
    msgpack_zone zone;
    msgpack_object object;
    size_t at = 0;

    assert_true(msgpack_zone_init(&zone, 1024));
    assert_int_equal(msgpack_unpack(bytes, len, &at, &zone, &object), MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(at, len);
    bool same = msgpack_object_equal(object, wire_root(doc)->o);
    if (!same) { /* a number that is none equals nothing: by its bytes */
        struct buf a, b;
        buf_init(&a, 1 << 20), buf_init(&b, 1 << 20);
        wire_put_val(&a, wire_cast(&object)), wire_put_val(&b, wire_root(doc));
        same = span_equal(buf_span(&a), buf_span(&b));
        buf_clear(&a), buf_clear(&b);
    }
    assert_true(same);
    msgpack_zone_destroy(&zone);
}

static void test_wire_what_is_written_reads_back(void **state)
{
    struct wire_doc *doc = NULL;
    struct err err = {0};
    struct buf out, again;
    (void)state;
    buf_init(&out, 1 << 20);
    put_everything(&out);
    assert_false(out.failed);
    assert_true(wire_parse(out.p, out.len, 8, &doc, &err));
    check_library_reads_the_same(out.p, out.len, doc);
    const struct wire_val *root = wire_root(doc);
    bool flag = false;
    double number = 0;
    assert_int_equal(wire_count(root), 8);
    assert_int_equal(wire_type(wire_find(root, "nil")), WIRE_NIL);
    assert_true(wire_get_bool(wire_find(root, "yes"), &flag) && flag);
    assert_true(wire_get_bool(wire_find(root, "no"), &flag) && !flag);
    assert_true(wire_get_float(wire_find(root, "float"), &number) && number == -2.5);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        int64_t got = 7;
        assert_true(wire_get_int(wire_at(wire_find(root, "ints"), i), &got));
        assert_true(got == numbers[i]);
    }
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct span text = SPAN_NONE, bytes = SPAN_NONE;
        assert_true(wire_get_str(wire_at(wire_find(root, "texts"), i), &text));
        assert_true(wire_get_bin(wire_at(wire_find(root, "bins"), i), &bytes));
        assert_int_equal(text.len, lengths[i]);
        assert_int_equal(bytes.len, lengths[i]);
    }
    assert_true(span_is(wire_find_str(wire_at(wire_find(root, "deep"), 0), "ключ"), "\xf0\x9f\x93\x9e"));
    buf_init(&again, 1 << 20);
    wire_put_val(&again, root);
    assert_int_equal(again.len, out.len);
    assert_memory_equal(again.p, out.p, out.len);
    wire_doc_free(doc);
    buf_clear(&again);
    buf_clear(&out);
}

/* Heads of lists and maps on both sides of each form, as msgpack-c writes them. */
static void test_wire_counts_are_written_as_the_library_does(void **state)
{
    static const size_t counts[] = {0, 1, 15, 16, 65535, 65536};
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(counts); i++) {
        size_t count = counts[i / 2], values = i % 2 == 0 ? count : 2 * count;
        struct wire_doc *doc = NULL;
        struct err err = {0};
        struct buf out, again;
        buf_init(&out, 1 << 21), buf_init(&again, 1 << 21);
        if (i % 2 == 0)
            wire_put_list(&out, count);
        else
            wire_put_map(&out, count);
        for (size_t k = 0; k < values; k++) {
            char name[24];
            (void)snprintf(name, sizeof name, "%zu", k);
            wire_put_text(&out, name);
        }
        assert_true(wire_parse(out.p, out.len, 2, &doc, &err));
        wire_put_val(&again, wire_root(doc));
        assert_true(span_equal(buf_span(&out), buf_span(&again)));
        wire_doc_free(doc);
        buf_clear(&out), buf_clear(&again);
    }
}

/* Each prefix lies in memory of its own, so that a sanitizer sees a read beyond it. */
static void check_truncations(const struct buf *whole, size_t step)
{
    for (size_t len = 0; len < whole->len; len += step) {
        struct wire_doc *doc = NULL;
        struct err err = {0};
        char *part = malloc(len == 0 ? 1 : len);
        assert_non_null(part);
        memcpy(part, whole->p, len);
        assert_false(parses(part, len, WIRE_DEPTH_MAX, &err));
        assert_int_equal(err.code, ERR_MALFORMED);
        assert_false(wire_parse(part, len, WIRE_DEPTH_MAX, &doc, &err));
        assert_null(doc);
        free(part);
    }
}

static void test_wire_every_truncation_is_malformed(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 1 << 20);
    put_small(&out);
    check_truncations(&out, 1);
    buf_clear(&out);
    buf_init(&out, 1 << 20);
    put_everything(&out);
    check_truncations(&out, 997);
    buf_clear(&out);
}

static void test_wire_bytes_behind_the_value_are_malformed(void **state)
{
    struct err err = {0};
    struct buf out;
    (void)state;
    buf_init(&out, 4096);
    put_small(&out);
    assert_true(parses(out.p, out.len, WIRE_DEPTH_MAX, &err));
    wire_put_nil(&out);
    assert_false(parses(out.p, out.len, WIRE_DEPTH_MAX, &err));
    buf_clear(&out);
}

static const struct {
    const char *what, *bytes;
    size_t len;
} hostile[] = {
    {"nothing", "", 0},
    {"a list of 4 G", "\xdd\xff\xff\xff\xff", 5},
    {"a map of 4 G", "\xdf\xff\xff\xff\xff", 5},
    {"a text of 4 G", "\xdb\xff\xff\xff\xff", 5},
    {"bytes of 4 G", "\xc6\xff\xff\xff\xff", 5},
    {"an extension of 4 G", "\xc9\xff\xff\xff\xff\x01", 6},
    {"an extension", "\xd4\x01\x02", 3},
    {"a list longer by one", "\x93\xc0\xc0", 3},
    {"a map without its last value", "\x82\xa1\x61\xc0\xa1\x62", 6},
    {"the byte that means nothing", "\xc1", 1},
    {"a number as a key", "\x81\x01\xc0", 3},
    {"bytes as a key", "\x81\xc4\x01\x61\xc0", 5},
    {"a key twice", "\x82\xa1\x61\xc0\xa1\x61\xc0", 7},
    {"a text with NUL", "\xa1\x00", 2},
    {"a text that is no UTF-8", "\xa1\xff", 2},
    {"a text cut in a letter", "\xa1\xc3", 2},
    {"an overlong letter", "\xa2\xc0\xaf", 3},
    {"half a surrogate", "\xa3\xed\xa0\x80", 4},
    {"a letter beyond Unicode", "\xa4\xf4\x90\x80\x80", 5},
};

static void test_wire_hostile_bytes_are_refused_without_allocating(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct wire_doc *doc = NULL;
        struct err err = {0};
        if (parses(hostile[i].bytes, hostile[i].len, WIRE_DEPTH_MAX, &err) ||
            wire_parse(hostile[i].bytes, hostile[i].len, WIRE_DEPTH_MAX, &doc, &err))
            fail_msg("%s passed", hostile[i].what);
        assert_int_equal(err.code, ERR_MALFORMED);
        assert_true(err.msg[0] != '\0');
    }
}

static void test_wire_depth_is_counted_to_the_limit(void **state)
{
    char nested[WIRE_DEPTH_MAX + 1];
    struct err err = {0};
    (void)state;
    memset(nested, '\x91', sizeof nested);
    for (unsigned depth = 1; depth <= WIRE_DEPTH_MAX; depth++) {
        nested[depth - 1] = '\xc0';
        assert_true(parses(nested, depth, depth, &err));
        struct wire_doc *doc = NULL;
        assert_true(wire_parse(nested, depth, depth, &doc,
                               &err)); /* the library follows as deep as the check allows */
        wire_doc_free(doc);
        if (depth > 1)
            assert_false(parses(nested, depth, depth - 1, &err));
        nested[depth - 1] = '\x91';
    }
}

/* Random changes of a valid frame: what passes the check parses, as the library would have read it, and is written and read back as an
 * equal value. */
static void test_wire_changed_frames_are_refused_or_read_whole(void **state)
{
    uint64_t random = 88172645463325252u;
    struct buf out;
    size_t passed = 0;
    (void)state;
    buf_init(&out, 4096);
    put_small(&out);
    for (int round = 0; round < 40000; round++) {
        struct wire_doc *doc = NULL, *again = NULL;
        struct err err = {0};
        char *frame = malloc(out.len);
        assert_non_null(frame);
        memcpy(frame, out.p, out.len);
        for (int change = 0; change < 1 + round % 3; change++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            frame[random % out.len] = (char)(random >> 32);
        }
        if (wire_parse(frame, out.len, WIRE_DEPTH_MAX, &doc, &err)) {
            struct buf copy;
            passed++;
            check_library_reads_the_same(frame, out.len, doc);
            buf_init(&copy, 8192);
            wire_put_val(&copy, wire_root(doc));
            assert_true(wire_parse(copy.p, copy.len, WIRE_DEPTH_MAX, &again, &err));
            buf_clear(&copy);
        }
        wire_doc_free(again);
        wire_doc_free(doc);
        free(frame);
    }
    assert_in_range(passed, 100, 39999);
    buf_clear(&out);
}

static void test_wire_canonical_form_forgets_order_and_width(void **state)
{
    static const char *const same[] = {"\x82\xa1\x61\x01\xa1\x62\xc0",
                                       "\xde\x00\x02\xa1\x62\xc0\xa1\x61\xd1\x00\x01"};
    static const size_t len[] = {7, 11};
    struct wire_doc *docs[2] = {NULL, NULL};
    struct buf forms[2];
    struct err err = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_true(wire_parse(same[i], len[i], 4, &docs[i], &err));
        buf_init(&forms[i], 64);
        wire_put_canonical(&forms[i], wire_root(docs[i]));
    }
    assert_int_equal(forms[0].len, forms[1].len);
    assert_memory_equal(forms[0].p, forms[1].p, forms[0].len);
    for (int i = 0; i < 2; i++) {
        buf_clear(&forms[i]);
        wire_doc_free(docs[i]);
    }
}

static void test_wire_canonical_form_sorts_an_empty_key_first(void **state)
{
    static const char frame[] = "\x82\xa1\x61\x01\xa0\x02", sorted[] = "\x82\xa0\x02\xa1\x61\x01";
    struct wire_doc *doc = NULL;
    struct err err = {0};
    struct buf out;
    (void)state;
    assert_true(wire_parse(frame, sizeof frame - 1, 4, &doc, &err));
    buf_init(&out, 64);
    wire_put_canonical(&out, wire_root(doc));
    assert_int_equal(out.len, sizeof sorted - 1);
    assert_memory_equal(out.p, sorted, sizeof sorted - 1);
    buf_clear(&out);
    wire_doc_free(doc);
}

static void test_wire_a_full_buffer_fails_and_says_so(void **state)
{
    (void)state;
    for (size_t limit = 1; limit < 40; limit++) {
        struct buf out;
        buf_init(&out, limit);
        put_small(&out);
        assert_true(out.failed);
        assert_true(out.len <= limit);
        buf_clear(&out);
    }
}

/* Text is looked at eight bytes at a time: what is wrong is found wherever it stands, and letters are counted. */
static void test_utf8_finds_a_bad_byte_at_every_place_and_counts_points(void **state)
{
    (void)state;
    static const char bad[] = {'\0', '\x80', '\xbf', '\xc0', '\xed', '\xff'};
    char text[40];

    for (size_t len = 0; len < sizeof text; len++) {
        size_t points = 0;
        memset(text, 'a', sizeof text);
        assert_true(utf8_check((struct span){text, len}, &points));
        assert_int_equal(points, len);
        for (size_t at = 0; at < len; at++) {
            for (size_t b = 0; b < sizeof bad; b++) {
                text[at] = bad[b];
                assert_false(utf8_check((struct span){text, len}, NULL));
            }
            text[at] = 'a';
            if (at + 2 > len)
                continue;
            memcpy(text + at, "\xc3\xbc", 2);
            assert_true(utf8_check((struct span){text, len}, &points));
            assert_int_equal(points, len - 1);
            memcpy(text + at, "aa", 2);
        }
    }
}

/* What printf cut in the middle of a letter, or quoted from bytes that nobody checked, can be told to a client all the same. */
static void test_utf8_mend_leaves_letters_and_marks_what_is_none(void **state)
{
    static const struct {
        const char *text, *mended;
    } rows[] = {{"", ""},
                {"a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"},
                {"\"a\xc3\" is not known", "\"a?\" is not known"},
                {"a\xe2\x82", "a??"},
                {"\xff\xc0\xaf", "???"}};
    char text[40];
    struct err err = {0};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(text, sizeof text, "%s", rows[i].text);
        utf8_mend(text);
        assert_string_equal(text, rows[i].mended);
    }
    (void)err_field(&err, ERR_INVALID, "\xc3", "%.*s", 2, "a\xc3\xbc");
    assert_string_equal(err.field, "?");
    assert_string_equal(err.msg, "a?");
}

/* Each value of the map comes out with the bytes that it went in with, wide forms and nested ones too. */
static void test_wire_a_value_is_found_as_its_bytes_stand(void **state)
{
    static const struct span values[] = {
        {"\xc0", 1},
        {"\xc3", 1},
        {"\x07", 1},
        {"\xe1", 1},
        {"\xcd\x00\x07", 3},
        {"\xd3\x00\x00\x00\x00\x00\x00\x00\x07", 9},
        {"\xcb\x40\x00\x00\x00\x00\x00\x00\x00", 9},
        {"\xa2hi", 3},
        {"\xda\x00\x02hi", 5},
        {"\xc4\x02\x00\xff", 4},
        {"\x90", 1},
        {"\xdc\x00\x02\x93\x01\x02\xa1x\x80", 9},
        {"\x82\xa1k\x81\xa0\xd9\x01y\xa1l\x92\xc2\xcc\xff", 14},
    };
    enum { COUNT = sizeof values / sizeof values[0] };
    struct wire_doc *doc = NULL;
    struct err err = {0};
    struct buf buf;
    char key[2] = "a";
    (void)state;

    buf_init(&buf, 1024);
    wire_put_map(&buf, COUNT);
    for (size_t i = 0; i < COUNT; i++, key[0]++) {
        wire_put_text(&buf, key);
        wire_put_raw(&buf, values[i]);
    }
    assert_true(wire_parse(buf.p, buf.len, 8, &doc, &err));
    key[0] = 'a';
    for (size_t i = 0; i < COUNT; i++, key[0]++)
        assert_true(span_equal(wire_find_raw(doc, wire_root(doc), key), values[i]));
    assert_null(wire_find_raw(doc, wire_root(doc), "none").p);
    assert_null(wire_find_raw(doc, wire_find(wire_root(doc), "a"), "a").p);
    wire_doc_free(doc);
    buf_clear(&buf);
}

/* Put together of read values, of other put-together ones and of scalars, over several pieces of memory, twice in the same room. */
static void test_made_of_others_then_as_written(void **state)
{
    static const char json[] = "{\"body\": {\"on\": \"customer\", \"n\": [1, -2, 3.5, null, true]}}";
    struct wire_made *made = wire_made_new();
    struct wire_doc *read = NULL, *wrote = NULL;
    struct buf in, out;
    struct err err;
    (void)state;

    buf_init(&in, 1 << 20);
    buf_init(&out, 1 << 20);
    assert_true(wire_from_json(&in, json, strlen(json), &err) && wire_parse(in.p, in.len, 8, &read, &err));
    const struct wire_val *body = wire_find(wire_root(read), "body");
    for (int round = 0; round < 3; round++) {
        wire_made_reset(made);
        buf_reset(&out);
        size_t list = wire_made_open(made);
        wire_put_list(&out, 1000);
        for (int i = 0; i < 1000; i++) {
            size_t map = wire_made_open(made);
            wire_made_key_int(made, "version", i - 500);
            wire_made_key_bool(made, "public", i % 2 == 0);
            wire_made_key_val(made, "body", body);
            wire_made_key_val(made, "as", NULL);
            wire_made_str(made, span_of("half"));
            wire_made_float(made, i / 2.0);
            wire_made_close_map(made, map);
            assert_false(wire_has_doubled_key(wire_made_last(made)));
            wire_put_map(&out, 5);
            wire_put_key_int(&out, "version", i - 500);
            wire_put_key_bool(&out, "public", i % 2 == 0);
            wire_put_key_val(&out, "body", body);
            wire_put_key_val(&out, "as", NULL);
            wire_put_text(&out, "half");
            wire_put_float(&out, i / 2.0);
        }
        wire_made_close_list(made, list);
        assert_true(wire_parse(out.p, out.len, 8, &wrote, &err));
        assert_true(wire_same(wire_made_root(made), wire_root(wrote)));
        assert_int_equal(wire_size(wire_made_root(made)), out.len);
        wire_doc_free(wrote);
    }
    wire_made_reset(made);
    size_t map = wire_made_open(made);
    wire_made_key_str(made, "a", span_of("x"));
    wire_made_key_str(made, "b", SPAN_NONE);
    wire_made_key_int(made, "a", 2);
    wire_made_close_map(made, map);
    assert_true(wire_has_doubled_key(wire_made_root(made)));
    wire_doc_free(read);
    buf_clear(&in);
    buf_clear(&out);
    wire_made_free(made);
}

/* What a value takes is known without writing it, at each length where its head grows. */
static void test_size_then_what_is_written(void **state)
{
    char *bytes = calloc(1, 65536 + 1);
    struct wire_doc *doc = NULL;
    struct err err;
    struct buf out;
    (void)state;

    memset(bytes, 'x', 65536);
    buf_init(&out, 8 << 20);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        buf_reset(&out);
        wire_put_int(&out, numbers[i]);
        assert_true(wire_parse(out.p, out.len, 4, &doc, &err));
        assert_int_equal(wire_size(wire_root(doc)), out.len);
        wire_doc_free(doc);
    }
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (int kind = 0; kind < 4; kind++) {
            char key[24];
            buf_reset(&out);
            if (kind == 0)
                wire_put_str(&out, (struct span){bytes, lengths[i]});
            else if (kind == 1)
                wire_put_bin(&out, (struct span){bytes, lengths[i]});
            else if (kind == 2)
                wire_put_list(&out, lengths[i]);
            else
                wire_put_map(&out, lengths[i]);
            for (size_t k = 0; kind >= 2 && k < lengths[i]; k++) {
                (void)snprintf(key, sizeof key, "k%zu", k);
                if (kind == 3)
                    wire_put_text(&out, key);
                wire_put_nil(&out);
            }
            assert_true(wire_parse(out.p, out.len, 4, &doc, &err));
            assert_int_equal(wire_size(wire_root(doc)), out.len);
            wire_doc_free(doc);
        }
    assert_int_equal(wire_size(NULL), 1);
    buf_clear(&out);
    free(bytes);
}

static void test_floats_are_written_with_as_few_digits_as_tell_them_apart(void **state)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = {{3.4, "3.4"},      {-0.1, "-0.1"}, {0.1 + 0.2, "0.30000000000000004"},
                {1e300, "1e+300"}, {2.5, "2.5"},   {123456.789, "123456.789"}};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_doc *doc = NULL;
        struct buf bytes, json;
        struct err err;
        buf_init(&bytes, 100);
        buf_init(&json, 100);
        wire_put_float(&bytes, rows[i].number);
        assert_true(wire_parse(bytes.p, bytes.len, 2, &doc, &err));
        wire_to_json(&json, wire_root(doc));
        assert_string_equal(buf_text(&json), rows[i].text);
        wire_doc_free(doc);
        buf_clear(&bytes);
        buf_clear(&json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floats_are_written_with_as_few_digits_as_tell_them_apart),
        cmocka_unit_test(test_wire_what_is_written_reads_back),
        cmocka_unit_test(test_wire_counts_are_written_as_the_library_does),
        cmocka_unit_test(test_wire_every_truncation_is_malformed),
        cmocka_unit_test(test_wire_bytes_behind_the_value_are_malformed),
        cmocka_unit_test(test_wire_hostile_bytes_are_refused_without_allocating),
        cmocka_unit_test(test_wire_depth_is_counted_to_the_limit),
        cmocka_unit_test(test_wire_changed_frames_are_refused_or_read_whole),
        cmocka_unit_test(test_wire_a_value_is_found_as_its_bytes_stand),
        cmocka_unit_test(test_wire_canonical_form_forgets_order_and_width),
        cmocka_unit_test(test_wire_canonical_form_sorts_an_empty_key_first),
        cmocka_unit_test(test_utf8_mend_leaves_letters_and_marks_what_is_none),
        cmocka_unit_test(test_utf8_finds_a_bad_byte_at_every_place_and_counts_points),
        cmocka_unit_test(test_wire_a_full_buffer_fails_and_says_so),
        cmocka_unit_test(test_made_of_others_then_as_written),
        cmocka_unit_test(test_size_then_what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
