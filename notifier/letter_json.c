/* A message as JSON; see letter_json.h. */
#include "letter_json.h"
#include "instant.h"
#include "wire.h"

#include <string.h>

enum { WORK_BYTES_MAX = 1 << 20, FULL, WITHOUT_BODY, SHORT, FORMS };

static const char *audience_name(const struct letter *letter)
{
    return letter->to_customer != NULL ? "customer" : letter->to_staff->is_for_ops ? "ops" : "staff";
}

static void put_text(struct buf *out, const char *key, const char *text, struct wire_map *map)
{
    wire_put_key_text(out, key, text[0] == '\0' ? NULL : text), map->count++;
}

/* A map as stored, where there is one. */
static void put_raw(struct buf *out, const char *key, struct span map, struct wire_map *ret)
{
    if (map.p != NULL)
        wire_put_text(out, key), wire_put_raw(out, map), ret->count++;
}

static void put_data(struct buf *out, const struct letter *letter, int form, size_t text_max)
{
    struct wire_map map = wire_map_open(out);
    struct span text = span_of(letter->text);

    if (form == SHORT)
        text = span_cut(text, text_max);
    put_text(out, "id", letter->id, &map);
    put_text(out, "kind", letter->kind, &map);
    put_text(out, "audience", audience_name(letter), &map);
    put_text(out, "tracking", letter->tracking, &map);
    put_text(out, "customer", letter->customer, &map);
    put_text(out, "recipient", letter->recipient, &map);
    put_text(out, "subject", letter->subject, &map);
    wire_put_key_str(out, "text", text), map.count++;
    if (letter->priority != 0)
        wire_put_key_int(out, "priority", letter->priority), map.count++;
    if (letter_alert(letter) != 0)
        wire_put_key_int(out, "alert", letter_alert(letter)), map.count++;
    if (form != FULL)
        wire_put_key_bool(out, "cut", true), map.count++;
    if (form == FULL)
        put_raw(out, "body", letter_body(letter), &map);
    if (form == FULL && letter->to_customer != NULL) {
        put_raw(out, "triaged", letter->to_customer->triaged, &map);
        put_raw(out, "asked", letter->to_customer->asked, &map);
    }
    wire_map_close(out, &map);
}

static bool put_form(const struct letter *letter, const struct letter_extra *extra, int form, size_t max,
                     struct buf *out)
{
    struct buf bytes, json;
    struct wire_doc *doc = NULL;
    struct err ignored;
    char type[80], timestamp[INSTANT_BYTES];
    bool ok = false;

    buf_init(&bytes, WORK_BYTES_MAX);
    buf_init(&json, WORK_BYTES_MAX);
    bool is_alert = letter_alert(letter) != 0 || strcmp(letter->kind, "alerts") == 0;
    (void)snprintf(type, sizeof type, "%s.%s", is_alert ? "alert" : "ticket", letter->kind);
    (void)instant_format(letter->date_at, timestamp);
    struct wire_map map = wire_map_open(&bytes);
    put_text(&bytes, "type", type, &map);
    put_text(&bytes, "timestamp", timestamp, &map);
    wire_put_text(&bytes, "data"), map.count++;
    put_data(&bytes, letter, form, max / 8);
    for (; extra != NULL; extra = extra->next)
        wire_put_text(&bytes, extra->key), wire_put_raw(&bytes, extra->value), map.count++;
    wire_map_close(&bytes, &map);
    if (!bytes.failed && wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &ignored)) {
        wire_to_json(&json, wire_root(doc));
        ok = !json.failed && json.len <= max && buf_add_span(out, buf_span(&json));
    }
    wire_doc_free(doc);
    buf_clear(&json);
    buf_clear(&bytes);
    return ok;
}

bool letter_to_json(const struct letter *letter, const struct letter_extra *extra, size_t max,
                    struct buf *out, struct err *err)
{
    for (int form = FULL; form < FORMS; form++)
        if (put_form(letter, extra, form, max, out))
            return true;
    return err_set(err, ERR_TOO_LARGE, "the message is larger than %zu bytes", max);
}
