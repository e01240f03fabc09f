/* Forms of what somebody may be reached by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "contact.h"

static void test_fault_is_told_of_what_has_not_the_form_of_its_key(void **state)
{
    static const struct {
        const char *key, *text;
        bool fine;
    } rows[] = {
        {"email", "a@b", true},
        {"email", "o'neill+desk@sub.example", true},
        {"email", "a", false},
        {"email", "@b", false},
        {"email", "a@", false},
        {"email", "a@b@c", false},
        {"email", "a@b,c@d", false},
        {"email", "Ada <a@b>", false},
        {"email", "zo\xc3\xab@b.example", false},
        {"email", "-a@b", false},
        {"xmpp", "ada@localhost", true},
        {"xmpp", "ada@localhost/phone", false},
        {"xmpp", "ada", false},
        {"xmpp", "a'b@c", false},
        {"phone", "+43155512345", true},
        {"phone", "+49 (0)30 / 123-45", true},
        {"phone", "112", true},
        {"phone", "4711 ext. 12", true},
        {"phone", "0800-CALLNOW", true},
        {"phone", "*86#", true},
        {"phone", "unknown", false},
        {"phone", "ada@localhost", false},
        {"phone", "sip:4711@pbx", false},
        {"phone", "7", false},
        {"phone", "+49 30 <b>1</b>", false},
        {"sms", "+43155512345", true},
        {"sms", "none", false},
        {"webhook", "https://a.example/x?y=1", true},
        {"webhook", "http://127.0.0.1:8080/", true},
        {"webhook", "https://", false},
        {"webhook", "ftp://a.example/", false},
        {"webhook", "https://a b/", false},
        {"locale", "en", true},
        {"locale", "de-AT", true},
        {"locale", "zh-Hant-HK", true},
        {"locale", "de_DE", false},
        {"locale", "de-", false},
        {"locale", "x", false},
        {"locale", "german", false},
        {"locale", "../en", false},
        {"locale", "german language", false},
        {"locale", "de-toolongpart", false},
        {"name", "anything @ all", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((contact_fault(rows[i].key, span_of(rows[i].text)) == NULL) != rows[i].fine)
            fail_msg("%s: %s: %s", rows[i].key, rows[i].text, rows[i].fine ? "refused" : "taken");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_is_told_of_what_has_not_the_form_of_its_key),
    };
    return cmocka_run_group_tests_name("contact", tests, NULL, NULL);
}
