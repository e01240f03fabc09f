/* Typed reads of a decision's fields; see decision_internal.h. */
#include "decision_internal.h"

#include <stdio.h>

bool decision_fail(const struct decision_at *at, const char *field, const char *want)
{
    char name[96];
    if (at->list[0] == '\0')
        (void)snprintf(name, sizeof name, "%s", field);
    else
        (void)snprintf(name, sizeof name, "%s[%zu].%s", at->list, at->i, field);
    return err_field(at->err, ERR_INVALID, name, "%s: want %s", name, want);
}

/* True when the field is there. False with *ret_ok telling whether that may be. */
static bool decision_there(const struct decision_at *at, const struct wire_val *map, const char *field,
                           bool need, const struct wire_val **ret_val, bool *ret_ok)
{
    *ret_val = wire_find(map, field);
    if (wire_type(*ret_val) != WIRE_NIL)
        return true;
    *ret_ok = !need || decision_fail(at, field, "a value, it is missing");
    return false;
}

bool decision_text(const struct decision_at *at, const struct wire_val *map, const char *field, bool need,
                   size_t max, struct span *ret)
{
    const struct wire_val *val;
    struct span text;
    char want[64];
    bool ok;
    if (!decision_there(at, map, field, need, &val, &ok))
        return ok;
    if (!wire_get_str(val, &text) || text.len > max || (need && text.len == 0)) {
        (void)snprintf(want, sizeof want, "text of %d to %zu bytes", need ? 1 : 0, max);
        return decision_fail(at, field, want);
    }
    *ret = text;
    return true;
}

bool decision_int(const struct decision_at *at, const struct wire_val *map, const char *field, bool need,
                  int64_t least, int64_t most, int64_t *ret)
{
    const struct wire_val *val;
    int64_t number;
    char want[96];
    bool ok;
    if (!decision_there(at, map, field, need, &val, &ok))
        return ok;
    if (!wire_get_int(val, &number) || number < least || number > most) {
        (void)snprintf(want, sizeof want, "an integer from %lld to %lld", (long long)least, (long long)most);
        return decision_fail(at, field, want);
    }
    *ret = number;
    return true;
}

bool decision_bool(const struct decision_at *at, const struct wire_val *map, const char *field, bool need,
                   bool *ret)
{
    const struct wire_val *val;
    bool ok;
    if (!decision_there(at, map, field, need, &val, &ok))
        return ok;
    return wire_get_bool(val, ret) || decision_fail(at, field, "true or false");
}

bool decision_word(const struct decision_at *at, const struct wire_val *map, const char *field,
                   const char *const *words, size_t count, size_t *ret)
{
    struct span text;
    char want[256] = "";
    size_t len = 0;
    if (wire_get_str(wire_find(map, field), &text))
        for (size_t i = 0; i < count; i++)
            if (span_is(text, words[i])) {
                *ret = i;
                return true;
            }
    for (size_t i = 0; i < count && len < sizeof want; i++)
        len += (size_t)snprintf(want + len, sizeof want - len, "%s%s", i == 0 ? "" : ", ", words[i]);
    return decision_fail(at, field, want);
}

bool decision_keep(const struct decision_at *at, const struct wire_val *map, const char *field,
                   enum wire_type type, size_t max, struct span *ret)
{
    const struct wire_val *val = wire_find(map, field);
    char want[64];
    if (wire_type(val) == WIRE_NIL)
        return true;
    if (wire_type(val) != type)
        return decision_fail(at, field, type == WIRE_MAP ? "a map" : "a list");
    struct span bytes = wire_find_raw(at->doc, map, field);
    if (bytes.len == 0 || bytes.len > max) {
        (void)snprintf(want, sizeof want, "at most %zu bytes", max);
        return decision_fail(at, field, want);
    }
    *ret = bytes;
    return true;
}

bool decision_list(const struct decision_at *at, const struct wire_val *map, const char *field, size_t max,
                   const struct wire_val **ret_list)
{
    const struct wire_val *val = wire_find(map, field);
    char want[64];
    if (wire_type(val) == WIRE_NIL)
        return true;
    if (wire_type(val) != WIRE_LIST || wire_count(val) > max) {
        (void)snprintf(want, sizeof want, "a list of up to %zu entries", max);
        return decision_fail(at, field, want);
    }
    *ret_list = val;
    return true;
}
