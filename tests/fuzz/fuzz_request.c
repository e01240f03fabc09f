/* A client's request against the whole op table: raw frames, and bodies put together of the fields that an op takes, so that each field's
 * reader sees values of every type, right ones and wrong ones. What is accepted once is accepted again with the same digests. */
#include "ops.h"
#include "request.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct request_limits limits = {.message_bytes = 1 << 20,
                                             .process_bytes = 3 << 20,
                                             .title_points = 200,
                                             .text_bytes = 64 << 10,
                                             .map_bytes = 16 << 10};

struct input {
    const uint8_t *at;
    size_t left;
};

static unsigned take_byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static struct span take_bytes(struct input *in, size_t most)
{
    size_t count = take_byte(in);
    count = count < most ? count : most;
    count = count < in->left ? count : in->left;
    struct span bytes = {(const char *)in->at, count};
    in->at += count;
    in->left -= count;
    return bytes;
}

/* Values that pass somewhere: a fuzzer would not find a tracking number by itself. */
static void put_sample(struct buf *out, unsigned which)
{
    static const char *const texts[] = {
        "DKT-4Q7K-M2P9-ZX3A-H", "acme", "a@localhost", "customer", "vendor", "3", "", "child", "24x7"};
    size_t texts_count = sizeof texts / sizeof texts[0];

    if (which < texts_count)
        wire_put_text(out, texts[which]);
    else if (which == texts_count) {
        wire_put_map(out, 2);
        wire_put_key_text(out, "name", "ada");
        wire_put_key_text(out, "role", "staff");
    } else if (which == texts_count + 1) {
        wire_put_map(out, 2);
        wire_put_key_text(out, "id", "acme");
        wire_put_key_text(out, "package", "standard");
    } else {
        wire_put_list(out, 0);
    }
}

static void put_value(struct buf *out, struct input *in)
{
    switch (take_byte(in) % 7) {
    case 0:
        wire_put_int(out, (int64_t)take_byte(in));
        break;
    case 1:
        wire_put_int(out, INT64_MIN + (int64_t)take_byte(in));
        break;
    case 2:
        wire_put_bool(out, take_byte(in) & 1);
        break;
    case 3:
        wire_put_str(out, take_bytes(in, 255));
        break;
    case 4:
        wire_put_raw(out, take_bytes(in, 255)); /* anything, or nothing whole */
        break;
    default:
        put_sample(out, take_byte(in) % 12);
    }
}

static void put_request(struct buf *out, const struct op *op, struct input *in)
{
    wire_put_map(out, 4);
    wire_put_key_int(out, "dkt", 1);
    wire_put_key_int(out, "id", 7);
    wire_put_key_text(out, "op", op->form->name);
    wire_put_text(out, "body");
    struct wire_map body = wire_map_open(out);
    for (size_t i = 0; i < op->form->field_count; i++) {
        if (!op->form->fields[i].required && (take_byte(in) & 1) == 0)
            continue;
        wire_put_text(out, request_field_name((enum field)op->form->fields[i].field));
        put_value(out, in);
        body.count++;
    }
    wire_map_close(out, &body);
}

/* Everything that happens to a frame before an op's handler gets it. */
static bool check(struct span frame, struct request *req)
{
    const struct wire_val *body = NULL;
    struct span name = SPAN_NONE;
    struct err err;

    if (!request_parse(frame, &limits, req, &name, &body, &err))
        return false;
    const struct op *op = ops_find(name);
    return op != NULL && request_check(req, op, body, "local", "DKT", &limits, &err) &&
           ops_may(op, req, &err) && (op->check == NULL || op->check(req, &err));
}

static void check_twice(struct span frame)
{
    struct request first = {0}, second = {0};

    if (check(frame, &first)) {
        bool again = check(frame, &second);
        assert(again);
        assert(memcmp(first.content_digest, second.content_digest, sizeof first.content_digest) == 0);
        assert(!first.has_key || memcmp(first.key_digest, second.key_digest, sizeof first.key_digest) == 0);
    }
    request_clear(&first);
    request_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned which = take_byte(&in);

    if (which == 0xff) {
        check_twice((struct span){(const char *)in.at, in.left});
        return 0;
    }
    struct buf frame;
    buf_init(&frame, 1 << 16);
    put_request(&frame, ops_find(span_of(op_forms[which % FORMS].name)), &in);
    if (!frame.failed)
        check_twice(buf_span(&frame));
    buf_clear(&frame);
    return 0;
}
