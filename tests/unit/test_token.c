/* Signed tokens: both forms, what breaks them, two keys. */
#include "token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

static struct token_key key_of(unsigned char byte)
{
    struct token_key key = {.count = 1};
    memset(key.keys[0], byte, TOKEN_KEY_BYTES);
    return key;
}

static void test_mail_token_is_read_in_any_case_and_for_its_purpose_only(void **state)
{
    struct token_key key = key_of(7);
    char text[TOKEN_MAIL_BYTES];
    int64_t subject = 0;
    uint32_t who = 0;
    (void)state;

    token_mail_format(&key, TOKEN_REPLY, 0x0123456789abcdef, "Ada@Example.org", text);
    assert_int_equal(strlen(text), TOKEN_MAIL_BYTES - 1);
    for (char *p = text; *p != '\0'; p += 2)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    assert_true(token_mail_parse(&key, TOKEN_REPLY, span_of(text), &subject, &who));
    assert_int_equal(subject, 0x0123456789abcdef);
    assert_true(token_is_for(who, "ada@example.ORG"));
    assert_false(token_is_for(who, "eve@example.org"));
    assert_false(token_mail_parse(&key, TOKEN_BOUNCE, span_of(text), &subject, &who));
}

static void test_mail_token_when_any_letter_is_changed_is_refused(void **state)
{
    struct token_key key = key_of(7);
    char text[TOKEN_MAIL_BYTES];
    int64_t subject = -1;
    uint32_t who;
    (void)state;

    token_mail_format(&key, TOKEN_BOUNCE, 42, "a@b", text);
    for (size_t i = 0; i < TOKEN_MAIL_BYTES - 1; i++) {
        char was = text[i];
        text[i] = was == 'q' ? 'r' : 'q';
        assert_false(token_mail_parse(&key, TOKEN_BOUNCE, span_of(text), &subject, &who));
        text[i] = was;
    }
    assert_int_equal(subject, -1);
    assert_false(token_mail_parse(&key, TOKEN_BOUNCE, (struct span){text, 39}, &subject, &who));
    assert_true(token_mail_parse(&key, TOKEN_BOUNCE, span_of(text), &subject, &who));
}

static void test_link_token_carries_everything_and_no_bit_of_it_can_be_changed(void **state)
{
    struct token_key key = key_of(9);
    struct token_link link = {.purpose = TOKEN_APPROVE,
                              .subject = 77,
                              .generation = 3,
                              .expires_at = INT64_C(1790000000000000),
                              .who = token_who("a@b")},
                      got;
    char text[TOKEN_LINK_BYTES];
    (void)state;

    randombytes_buf(link.nonce, sizeof link.nonce);
    token_link_format(&key, &link, text);
    assert_true(token_link_parse(&key, span_of(text), &got));
    assert_int_equal(got.purpose, TOKEN_APPROVE);
    assert_int_equal(got.subject, 77);
    assert_int_equal(got.generation, 3);
    assert_true(got.expires_at == link.expires_at && got.who == link.who);
    assert_memory_equal(got.nonce, link.nonce, sizeof link.nonce);
    for (size_t i = 0; text[i] != '\0'; i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        assert_false(token_link_parse(&key, span_of(text), &got));
        text[i] = was;
    }
}

static void test_a_changed_key_keeps_old_tokens_while_it_stands_second(void **state)
{
    struct token_key old = key_of(1), both = key_of(2), new = key_of(2);
    char text[TOKEN_MAIL_BYTES];
    int64_t subject;
    uint32_t who;
    (void)state;

    memcpy(both.keys[1], old.keys[0], TOKEN_KEY_BYTES);
    both.count = 2;
    token_mail_format(&old, TOKEN_REPLY, 5, "a@b", text);
    assert_true(token_mail_parse(&both, TOKEN_REPLY, span_of(text), &subject, &who));
    assert_false(token_mail_parse(&new, TOKEN_REPLY, span_of(text), &subject, &who));
    token_mail_format(&both, TOKEN_REPLY, 5, "a@b", text);
    assert_true(token_mail_parse(&new, TOKEN_REPLY, span_of(text), &subject, &who));
}

static void test_key_file_must_be_private_and_hex(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        bool ok;
    } rows[] = {
        {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", 0600, true},
        {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", 0640, false},
        {"00112233445566778899aabbccddeeff\n", 0600, false},
        {"x0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", 0600, false},
        {"\n\n", 0600, false},
        {"", 0600, false},
    };
    char path[] = "/tmp/test_token_XXXXXX";
    int fd = mkstemp(path);
    struct token_key key;
    struct err err;
    (void)state;

    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, rows[i].text, strlen(rows[i].text), 0), (ssize_t)strlen(rows[i].text));
        assert_int_equal(fchmod(fd, rows[i].mode), 0);
        if (token_key_read(path, &key, &err) != rows[i].ok)
            fail_msg("row %zu: %s", i, rows[i].ok ? err.msg : "accepted");
    }
    close(fd);
    unlink(path);
    assert_false(token_key_read(path, &key, &err));
    assert_int_equal(err.code, ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mail_token_is_read_in_any_case_and_for_its_purpose_only),
        cmocka_unit_test(test_mail_token_when_any_letter_is_changed_is_refused),
        cmocka_unit_test(test_link_token_carries_everything_and_no_bit_of_it_can_be_changed),
        cmocka_unit_test(test_a_changed_key_keeps_old_tokens_while_it_stands_second),
        cmocka_unit_test(test_key_file_must_be_private_and_hex),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
