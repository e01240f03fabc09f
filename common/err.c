/* Errors that travel; see err.h. */
#include "err.h"

#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct code_row {
    const char *name;
    bool retry;
};

/* Order of enum err_code. Names and retry are the protocol's. */
static const struct code_row codes[ERR_CODES] = {
    [ERR_NONE] = {"none", false},
    [ERR_MALFORMED] = {"malformed", false},
    [ERR_UNSUPPORTED] = {"unsupported", false},
    [ERR_INVALID] = {"invalid", false},
    [ERR_NOT_FOUND] = {"not_found", false},
    [ERR_FORBIDDEN] = {"forbidden", false},
    [ERR_CONFLICT] = {"conflict", false},
    [ERR_TOO_LARGE] = {"too_large", false},
    [ERR_BUSY] = {"busy", true},
    [ERR_UNAVAILABLE] = {"unavailable", true},
    [ERR_INTERNAL] = {"internal", false},
    [ERR_IO] = {"internal", false},
    [ERR_TIMEOUT] = {"unavailable", true},
};

static void err_fill(struct err *err, enum err_code code, const char *field, const char *fmt, va_list args)
{
    if (err == NULL)
        return;
    err->code = code;
    (void)snprintf(err->field, sizeof err->field, "%s", field);
    (void)vsnprintf(err->msg, sizeof err->msg, fmt, args);
    utf8_mend(err->field);
    utf8_mend(err->msg);
}

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    err_fill(err, code, "", fmt, args);
    va_end(args);
    return false;
}

bool err_field(struct err *err, enum err_code code, const char *field, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    err_fill(err, code, field, fmt, args);
    va_end(args);
    return false;
}

bool err_prefix(struct err *err, const char *fmt, ...)
{
    char old[sizeof err->msg];
    va_list args;

    if (err == NULL)
        return false;
    memcpy(old, err->msg, sizeof old);
    va_start(args, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->msg)
        (void)snprintf(err->msg + n, sizeof err->msg - (size_t)n, "%s", old);
    utf8_mend(err->msg);
    return false;
}

const char *err_code_name(enum err_code code)
{
    return (unsigned)code < ERR_CODES ? codes[code].name : codes[ERR_INTERNAL].name;
}

enum err_code err_code_parse(const char *name, size_t len)
{
    for (int code = ERR_MALFORMED; code < ERR_IO; code++)
        if (strlen(codes[code].name) == len && memcmp(codes[code].name, name, len) == 0)
            return (enum err_code)code;
    return ERR_INTERNAL;
}

bool err_is_retry(enum err_code code)
{
    return (unsigned)code < ERR_CODES && codes[code].retry;
}
