/* Errors of the public interface: codes, their names, words. */
#include "lib_internal.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const code_names[] = {
    [DOCKET_OK] = "ok",
    [DOCKET_MALFORMED] = "malformed",
    [DOCKET_UNSUPPORTED] = "unsupported",
    [DOCKET_INVALID] = "invalid",
    [DOCKET_NOT_FOUND] = "not_found",
    [DOCKET_FORBIDDEN] = "forbidden",
    [DOCKET_CONFLICT] = "conflict",
    [DOCKET_TOO_LARGE] = "too_large",
    [DOCKET_BUSY] = "busy",
    [DOCKET_UNAVAILABLE] = "unavailable",
    [DOCKET_INTERNAL] = "internal",
    [DOCKET_TIMEOUT] = "timeout",
    [DOCKET_INTERRUPTED] = "interrupted",
};

enum docket_code lib_code_parse(struct span name)
{
    for (size_t i = DOCKET_MALFORMED; i <= DOCKET_INTERNAL; i++)
        if (span_is(name, code_names[i]))
            return (enum docket_code)i;
    return DOCKET_INTERNAL;
}

static void error_start(struct docket_error *error, enum docket_code code)
{
    error->code = code;
    (void)snprintf(error->name, sizeof error->name, "%s", code_names[code]);
    error->field[0] = '\0';
    error->message[0] = '\0';
    error->key[0] = '\0';
    error->retry = code == DOCKET_TIMEOUT || code == DOCKET_INTERRUPTED || code == DOCKET_BUSY;
    error->retry_after_ms = 0;
}

bool lib_error_set(struct docket_error *error, enum docket_code code, const char *fmt, ...)
{
    va_list args;

    if (error == NULL)
        return false;
    error_start(error, code);
    va_start(args, fmt);
    (void)vsnprintf(error->message, sizeof error->message, fmt, args);
    va_end(args);
    return false;
}

bool lib_error_from(struct docket_error *error, const struct err *err)
{
    if (error == NULL)
        return false;
    error_start(error, lib_code_parse(span_of(err_code_name(err->code))));
    (void)snprintf(error->field, sizeof error->field, "%s", err->field);
    (void)snprintf(error->message, sizeof error->message, "%s", err->msg);
    return false;
}
