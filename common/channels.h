/* The channels there are, a row each: adding one is a row here and notifier/channel_NAME.c (CONTRIBUTING.md). What a channel does is the
 * notifier's; what addresses may be called, in staff.yaml and in a customer's contacts, and which templates there are, follows
 * from the row. */
#ifndef DOCKET_CHANNELS_H
#define DOCKET_CHANNELS_H

#include <stddef.h>

/* ROW(id, name, suffix, bytes): CHANNEL_id; the key of an address, deliveries.channel and the struct channel_name of its file; its
 * templates are KIND.suffix, else KIND.txt; the longest address. A customer is told over the first that works. */
#define CHANNEL_LIST(ROW)               \
    ROW(EMAIL, email, "txt", 254)       \
    ROW(WEBHOOK, webhook, "json", 480)  \
    ROW(XMPP, xmpp, "im", 254)          \
    ROW(TELEPHONE, phone, "speech", 64) \
    ROW(SMS, sms, "sms", 64)

#define CHANNEL_ENUM(id, name, suffix, bytes) CHANNEL_##id,
enum { CHANNEL_LIST(CHANNEL_ENUM) CHANNELS };
#undef CHANNEL_ENUM

struct channel_row {
    const char *name, *suffix;
    size_t address_bytes_max;
};
extern const struct channel_row channel_rows[CHANNELS];

/* All names, as ", a, b". */
extern const char channel_names[];

/* The name as it stands in the table; NULL when no channel is called so. */
const char *channel_name_find(const char *name);

#endif
