/* Webhooks: the message as JSON to an https address, after Standard Webhooks. */
#include "channel.h"
#include "http_post.h"
#include "http_url.h"
#include "letter_json.h"

enum { SLOTS = 64, ADDRESS_SLOTS = 4 };

static bool webhook_open(const struct channel_host *host, void **ret_room, struct err *err)
{
    struct http_poster *poster;

    if (!http_poster_new(host, &poster, err))
        return false;
    *ret_room = poster;
    return true;
}

static void webhook_close(void *room)
{
    http_poster_free(room);
}

static bool webhook_build(void *room, const struct letter *letter, struct buf *out, struct err *err)
{
    return http_poster_may(room, letter->address, err) &&
           letter_to_json(letter, NULL, HTTP_POST_BODY_BYTES_MAX, out, err);
}

static void webhook_start(void *room, const struct outgoing *out, channel_end_fn *end_fn, void *arg)
{
    http_post(room, out->address, out, end_fn, arg);
}

const struct channel channel_webhook = {
    .slots = SLOTS,
    .address_slots = ADDRESS_SLOTS,
    .breaker_per_address = true,
    .host_of = http_url_host,
    .to_customers = true,
    .schedules = {[SCHEDULE_MESSAGE] = &schedule_webhook, [SCHEDULE_PAGE] = &schedule_page},
    .open = webhook_open,
    .close = webhook_close,
    .address_check = http_url_check,
    .build = webhook_build,
    .start = webhook_start,
};
