/* Answers: what the broker said, read by path or as JSON. */
#include "lib_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct docket_answer {
    struct lib_answer raw;
    struct docket_error error; /* filled when not ok */
    struct buf json;           /* made when first asked for */
};

void lib_answer_clear(struct lib_answer *answer)
{
    wire_doc_free(answer->doc);
    *answer = (struct lib_answer){0};
}

static void answer_copy(struct span from, char *to, size_t size)
{
    (void)snprintf(to, size, "%.*s", (int)(from.len < size ? from.len : size - 1),
                   from.p == NULL ? "" : from.p);
}

void lib_answer_error(const struct lib_answer *answer, struct docket_error *ret)
{
    const struct wire_val *error = wire_find(wire_root(answer->doc), "error");
    struct span code = wire_find_str(error, "code");

    (void)lib_error_set(ret, lib_code_parse(code), "%s", "");
    if (code.len != 0)
        answer_copy(code, ret->name, sizeof ret->name);
    answer_copy(wire_find_str(error, "field"), ret->field, sizeof ret->field);
    answer_copy(wire_find_str(error, "message"), ret->message, sizeof ret->message);
    ret->retry = wire_find_bool(error, "retry", false);
    ret->retry_after_ms = wire_find_int(error, "retry_after_ms", 0);
}

struct span lib_answer_message(const struct docket_answer *answer)
{
    return wire_find_str(wire_find(wire_root(answer->raw.doc), "error"), "message");
}

struct docket_answer *lib_answer_wrap(struct lib_answer *answer)
{
    struct docket_answer *wrap = malloc(sizeof *wrap);

    if (wrap == NULL) {
        lib_answer_clear(answer);
        return NULL;
    }
    wrap->raw = *answer;
    *answer = (struct lib_answer){0};
    buf_init(&wrap->json, (size_t)LIB_MESSAGE_BYTES_MAX * 6); /* a control character becomes six */
    if (!wrap->raw.ok)
        lib_answer_error(&wrap->raw, &wrap->error);
    return wrap;
}

void docket_answer_free(struct docket_answer *answer)
{
    if (answer == NULL)
        return;
    lib_answer_clear(&answer->raw);
    buf_clear(&answer->json);
    free(answer);
}

bool docket_answer_ok(const struct docket_answer *answer)
{
    return answer->raw.ok;
}

const struct docket_error *docket_answer_error(const struct docket_answer *answer)
{
    return answer->raw.ok ? NULL : &answer->error;
}

uint64_t docket_answer_id(const struct docket_answer *answer)
{
    return answer->raw.id;
}

uint64_t docket_answer_tag(const struct docket_answer *answer)
{
    return answer->raw.tag;
}

const char *docket_answer_json(struct docket_answer *answer)
{
    if (answer->json.len == 0)
        wire_to_json(&answer->json, answer->raw.body);
    return answer->json.failed ? NULL : buf_text(&answer->json);
}

/* Follows "a.b.0" from the body; NULL when it leads nowhere. */
static const struct wire_val *answer_find(const struct docket_answer *answer, const char *path)
{
    const struct wire_val *val = answer->raw.body;
    char part[128];

    while (val != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");
        if (n >= sizeof part)
            return NULL;
        (void)snprintf(part, sizeof part, "%.*s", (int)n, path);
        path += n + (path[n] == '.');
        val = wire_type(val) == WIRE_LIST ? wire_at(val, strtoul(part, NULL, 10)) : wire_find(val, part);
    }
    return val;
}

const char *docket_answer_text(const struct docket_answer *answer, const char *path, size_t *ret_len)
{
    struct span text;

    if (!wire_get_bin(answer_find(answer, path), &text))
        return NULL;
    *ret_len = text.len;
    return text.p;
}

int64_t docket_answer_int(const struct docket_answer *answer, const char *path, int64_t fallback)
{
    (void)wire_get_int(answer_find(answer, path), &fallback);
    return fallback;
}

bool docket_answer_bool(const struct docket_answer *answer, const char *path, bool fallback)
{
    (void)wire_get_bool(answer_find(answer, path), &fallback);
    return fallback;
}

const void *docket_answer_message(const struct docket_answer *answer, size_t *ret_len)
{
    struct span bytes = wire_doc_bytes(answer->raw.doc);

    *ret_len = bytes.len;
    return bytes.p;
}

const struct wire_val *lib_answer_body(const struct docket_answer *answer)
{
    return answer->raw.body;
}
