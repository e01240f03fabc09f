/* MessagePack to JSON and back, for people and scripts; see wire.h. Reading JSON is jansson's work. */
#include "wire.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* C0, DEL and C1 (U+0080…U+009F) are escaped, so that a ticket's text cannot steer a terminal. */
static void json_put_str(struct buf *out, struct span text)
{
    (void)buf_add(out, "\"", 1);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\') {
            (void)buf_printf(out, "\\%c", c);
        } else if (c == '\n') {
            (void)buf_add_text(out, "\\n");
        } else if (c == '\t') {
            (void)buf_add_text(out, "\\t");
        } else if (c < 0x20 || c == 0x7f) {
            (void)buf_printf(out, "\\u%04x", c);
        } else if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.p[i + 1] < 0xa0) {
            (void)buf_printf(out, "\\u%04x", (unsigned char)text.p[++i]);
        } else {
            (void)buf_add(out, &text.p[i], 1);
        }
    }
    (void)buf_add(out, "\"", 1);
}

static void json_put_base64(struct buf *out, struct span bytes)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    (void)buf_add(out, "\"", 1);
    for (size_t i = 0; i < bytes.len; i += 3) {
        unsigned long group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < bytes.len ? (unsigned char)bytes.p[i + k] : 0u);
        for (size_t k = 0; k < 4; k++) {
            bool pad = i + k > bytes.len;
            (void)buf_add(out, pad ? "=" : &letters[group >> (18 - 6 * k) & 63], 1);
        }
    }
    (void)buf_add(out, "\"", 1);
}

/* As few digits as tell it from every other: 3.4, not 3.3999999999999999. */
static void json_put_float(struct buf *out, double real)
{
    char text[32];

    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, real);
        double again = strtod(text, NULL);
        if (again >= real && again <= real)
            break;
    }
    (void)buf_add_text(out, text);
}

static void json_put_scalar(struct buf *out, const struct wire_val *val)
{
    bool flag;
    int64_t number;
    uint64_t large; /* than any int64_t */
    double real;
    struct span text;

    if (wire_get_bool(val, &flag))
        (void)buf_add_text(out, flag ? "true" : "false");
    else if (wire_get_int(val, &number))
        (void)buf_printf(out, "%lld", (long long)number);
    else if (wire_get_uint(val, &large))
        (void)buf_printf(out, "%llu", (unsigned long long)large);
    else if (wire_get_str(val, &text))
        json_put_str(out, text);
    else if (wire_get_bin(val, &text))
        json_put_base64(out, text);
    else if (wire_get_float(val, &real) && isfinite(real))
        json_put_float(out, real);
    else
        (void)buf_add_text(out, "null");
}

void wire_to_json(struct buf *out, const struct wire_val *val)
{
    enum wire_type type = wire_type(val);

    if (type != WIRE_LIST && type != WIRE_MAP) {
        json_put_scalar(out, val);
        return;
    }
    (void)buf_add_text(out, type == WIRE_LIST ? "[" : "{");
    for (size_t i = 0; i < wire_count(val); i++) {
        if (i != 0)
            (void)buf_add_text(out, ", ");
        if (type == WIRE_LIST) {
            wire_to_json(out, wire_at(val, i));
            continue;
        }
        json_put_str(out, wire_key_at(val, i));
        (void)buf_add_text(out, ": ");
        wire_to_json(out, wire_val_at(val, i));
    }
    (void)buf_add_text(out, type == WIRE_LIST ? "]" : "}");
}

/* jansson limits nesting itself (JSON_PARSER_MAX_DEPTH, 2048); wire_check holds the result to the protocol's
 * limit. */
static void json_to_wire(struct buf *out, json_t *json)
{
    size_t i;
    const char *key;
    json_t *item;

    switch (json_typeof(json)) {
    case JSON_OBJECT:
        wire_put_map(out, json_object_size(json));
        json_object_foreach(json, key, item)
        {
            wire_put_text(out, key);
            json_to_wire(out, item);
        }
        return;
    case JSON_ARRAY:
        wire_put_list(out, json_array_size(json));
        json_array_foreach(json, i, item) json_to_wire(out, item);
        return;
    case JSON_STRING:
        wire_put_str(out, (struct span){json_string_value(json), json_string_length(json)});
        return;
    case JSON_INTEGER:
        wire_put_int(out, json_integer_value(json));
        return;
    case JSON_REAL:
        wire_put_float(out, json_real_value(json));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        wire_put_bool(out, json_is_true(json));
        return;
    case JSON_NULL:
        wire_put_nil(out);
        return;
    }
}

bool wire_from_json(struct buf *out, const char *json, size_t len, struct err *err)
{
    json_error_t why;

    /* Without its end: else what is missing were missing in the next line. */
    while (len != 0 && (json[len - 1] == '\n' || json[len - 1] == '\r'))
        len--;
    json_t *tree = json_loadb(json, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
    if (tree == NULL)
        return err_set(err, ERR_INVALID, "%d:%d: not JSON: %s", why.line, why.column > 0 ? why.column : 1,
                       why.text);
    json_to_wire(out, tree);
    json_decref(tree);
    return out->failed ? err_set(err, ERR_TOO_LARGE, "the JSON text is too large") : true;
}

void wire_json_place(const char *msg, const char **ret_msg, unsigned *ret_line, unsigned *ret_column)
{
    char *end = NULL, *second = NULL;
    unsigned long row = strtoul(msg, &end, 10);
    unsigned long column = *end == ':' ? strtoul(end + 1, &second, 10) : 0;
    bool is_place = end != msg && second != NULL && second != end + 1 && strncmp(second, ": ", 2) == 0;

    *ret_msg = is_place ? second + 2 : msg;
    *ret_line = is_place ? (unsigned)row : 0;
    *ret_column = is_place ? (unsigned)column : 0;
}

bool wire_json_in_file(struct err *err, const char *file, unsigned first_line)
{
    char msg[sizeof err->msg];
    const char *rest = NULL;
    unsigned line = 0, column = 0;

    wire_json_place(err->msg, &rest, &line, &column);
    (void)snprintf(msg, sizeof msg, "%s", rest);
    if (line != 0)
        return err_set(err, err->code, "%s:%u:%u: %s", file, first_line + line - 1, column, msg);
    return err_set(err, err->code, "%s:%u: %s", file, first_line, msg);
}
