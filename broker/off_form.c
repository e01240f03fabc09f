/* Values of an update that are off their form; see off_form.h. */
#include "off_form.h"

#include "mem.h"
#include "op_form.h"
#include "ops.h"

#include <stdlib.h>

enum { TAGS_MAX = 32, BYTES_MAX = 4 << 20 };

static const char *const names[OFF_FIELDS] = {"title", "queue", "tags"};

/* Whether an update of this one value is of the form. in: alone  in a list of its own */
static bool is_of_form(const struct request_rules *rules, struct span key, const struct wire_val *val,
                       bool alone, struct err *err)
{
    struct wire_doc *doc = NULL;
    struct buf bytes;

    buf_init(&bytes, BYTES_MAX);
    wire_put_map(&bytes, 1);
    wire_put_str(&bytes, key);
    if (alone)
        wire_put_list(&bytes, 1);
    wire_put_val(&bytes, val);
    bool ok = wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, err) &&
              request_field_check(F_SET, rules, wire_root(doc), err);
    wire_doc_free(doc);
    buf_clear(&bytes);
    return ok;
}

/* Beside what is set. */
static bool others_are_of_form(const struct request *req, const struct request_rules *rules, struct err *err)
{
    for (size_t field = 0; field < F_FIELDS; field++)
        if (field != F_SET && req->vals[field] != NULL &&
            !request_field_check((enum field)field, rules, req->vals[field], err))
            return false;
    return true;
}

static bool off_tags_find(const struct request_rules *rules, const struct wire_val *tags,
                          struct off_form *off)
{
    struct err unused;

    if (wire_count(tags) > TAGS_MAX)
        return false;
    off->tags = tags;
    for (size_t i = 0; i < wire_count(tags); i++)
        if (!is_of_form(rules, span_of(names[OFF_TAGS]), wire_at(tags, i), true, &unused))
            off->off_tags |= UINT32_C(1) << i;
    return true;
}

/* One of set's values. False: it may not be, even if the ticket had it. */
static bool off_find(const struct request_rules *rules, struct span key, const struct wire_val *val,
                     struct off_form *off, struct err *err)
{
    if (is_of_form(rules, key, val, false, err))
        return true;
    for (int field = 0; field < OFF_FIELDS; field++)
        if (span_is(key, names[field])) {
            off->refusals[field] = *err;
            return field == OFF_TAGS ? off_tags_find(rules, val, off) : wire_get_str(val, &off->texts[field]);
        }
    return false;
}

struct off_form *off_form_new(const struct request *req, const char *prefix,
                              const struct request_limits *limits, struct err *refusal)
{
    const struct request_rules rules = {limits, prefix, .form_is_free = false};
    const struct wire_val *set = req->vals[F_SET];

    if (req->op->form != &op_forms[FORM_TICKET_UPDATE] || !others_are_of_form(req, &rules, refusal))
        return NULL;
    struct off_form *off = mem_new(1, sizeof *off);
    for (size_t i = 0; i < wire_count(set); i++)
        if (!off_find(&rules, wire_key_at(set, i), wire_val_at(set, i), off, refusal)) {
            free(off);
            return NULL;
        }
    return off;
}
