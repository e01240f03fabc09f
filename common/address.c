/* Addresses; see address.h. */
#include "address.h"

#include <stdio.h>
#include <string.h>

/* Beside control characters and bytes beyond ASCII (SMTPUTF8 is not spoken). */
static const char address_refused[] = " <>()[]\\,;:\"";

bool address_check(const char *text, struct err *err)
{
    size_t len = strlen(text);
    const char *at = strchr(text, '@');

    if (len > ADDRESS_BYTES_MAX)
        return err_set(err, ERR_INVALID, "the address is longer than %d bytes", ADDRESS_BYTES_MAX);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f ||
            strchr(address_refused, text[i]) != NULL)
            return err_set(err, ERR_INVALID, "the address has a character that is not allowed, at %zu",
                           i + 1);
    if (at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL || text[0] == '-')
        return err_set(err, ERR_INVALID, "not an address: want local@domain");
    return true;
}

bool address_bare(const char *text, char *ret, struct err *err)
{
    const char *open = strchr(text, '<'), *from = text;
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return err_set(err, ERR_INVALID, "control characters are not allowed");
    if (open != NULL) {
        if (text[len - 1] != '>' || strchr(open + 1, '<') != NULL)
            return err_set(err, ERR_INVALID, "want Name <local@domain>, got \"%s\"", text);
        from = open + 1;
        len = strlen(from) - 1;
    }
    if (len > ADDRESS_BYTES_MAX)
        return err_set(err, ERR_INVALID, "the address is longer than %d bytes", ADDRESS_BYTES_MAX);
    char bare[ADDRESS_BYTES_MAX + 1];
    (void)snprintf(bare, sizeof bare, "%.*s", (int)len, from);
    if (!address_check(bare, err))
        return false;
    memcpy(ret, bare, sizeof bare);
    return true;
}

bool address_check_xmpp(const char *text, struct err *err)
{
    if (strpbrk(text, "/&'") != NULL)
        return err_set(err, ERR_INVALID, "not an address of XMPP: want local@domain without a resource");
    return address_check(text, err);
}
