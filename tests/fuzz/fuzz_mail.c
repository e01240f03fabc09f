/* Any bytes as a mail: scanned, parsed, judged, and put into words, as docket-mail does (it parses in a child; here it must not crash
 * at all). */
#include "mail_internal.h"
#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct span message, const struct wire_val *facts)
{
    char approve[] = "approved", empty[] = "", reply[] = "desk@us.example", bounce[] = "bounce@us.example",
         domain[] = "us.example", prefix[] = "DKT", server[] = "mx.us";
    char *words[] = {approve};
    const struct mail_settings settings = {.reply_address = reply,
                                           .bounce_address = bounce,
                                           .mail_domain = domain,
                                           .tracking_prefix = prefix,
                                           .authserv_id = server,
                                           .strangers = empty,
                                           .approve_words = {words, 1}};
    const struct mail_envelope envelope = {NULL, NULL};
    const struct token_key key = {.count = 1};
    struct mail_view view;
    struct buf out;

    mail_judge(&settings, &key, &envelope, facts, message, &view);
    buf_init(&out, 2 * MAIL_WORDS_BYTES_MAX);
    mail_put_title(&out, &view);
    if (!utf8_check(buf_span(&out), NULL) && out.len != 0)
        abort();
    buf_reset(&out);
    mail_put_words(&out, &view, false);
    if (out.failed || out.len > MAIL_WORDS_BYTES_MAX + 64 || !utf8_check(buf_span(&out), NULL))
        abort();
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span message = {(const char *)data, size};
    struct wire_doc *doc = NULL;
    struct buf facts;
    struct err err;

    if (sodium_init() < 0 || !mail_scan(message, &err))
        return 0;
    buf_init(&facts, MAIL_FACTS_BYTES_MAX);
    if (mail_parse(message, &facts, &err)) {
        if (!wire_parse(facts.p, facts.len, WIRE_DEPTH_MAX, &doc, &err))
            abort(); /* what the child writes is what the parent reads */
        judge(message, wire_root(doc));
        wire_doc_free(doc);
    }
    buf_clear(&facts);
    return 0;
}
