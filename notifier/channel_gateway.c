/* Telephone and text messages: both are asked of a gateway by HTTP (docs/channels.md, "Telephone"), which knows lines and modems. What
 * became of a call comes back to gateway_back.c. */
#include "channel.h"
#include "http_post.h"
#include "http_url.h"
#include "letter_json.h"
#include "mem.h"
#include "settings_notifier.h"
#include "token.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 8,
    ADDRESS_SLOTS = 1,
    SPEECH_CHARS_MAX = 300,
    SMS_CHARS_MAX = 459 /* three parts */,
    EXTRA_BYTES_MAX = 4096
};

struct room {
    struct http_poster *poster;
    const struct settings_notifier *settings;
    const char *kind; /* "call" or "sms" */
    struct token_key key;
};

/* A + and five to fifteen digits (E.164). */
static bool number_check(const char *address, struct err *err)
{
    size_t digits = address[0] == '+' ? strspn(address + 1, "0123456789") : 0;

    if (digits < 5 || digits > 15 || address[digits + 1] != '\0')
        return err_set(err, ERR_INVALID,
                       "not a telephone number: want + and 5 to 15 digits, as +43155512345");
    return true;
}

static bool gateway_open(const struct channel_host *host, const char *kind, void **ret_room, struct err *err)
{
    const struct settings_notifier *s = host->settings;
    struct room room = {.settings = s, .kind = kind};

    *ret_room = NULL;
    if (s->gateway_url[0] == '\0')
        return true;
    if (s->token_key_file[0] != '\0' && !token_key_read(s->token_key_file, &room.key, err))
        return false;
    if (!http_poster_new(host, &room.poster, err))
        return false;
    if (room.poster == NULL)
        return err_set(err, ERR_INVALID, "gateway_url: needs webhook_secrets_file");
    if (!http_url_check(s->gateway_url, err) || !http_poster_may(room.poster, s->gateway_url, err)) {
        http_poster_free(room.poster);
        return err_prefix(err, "gateway_url: ");
    }
    *ret_room = mem_dup(&room, sizeof room);
    return true;
}

static bool phone_open(const struct channel_host *host, void **ret_room, struct err *err)
{
    return gateway_open(host, "call", ret_room, err);
}

static bool sms_open(const struct channel_host *host, void **ret_room, struct err *err)
{
    return gateway_open(host, "sms", ret_room, err);
}

static void gateway_close(void *arg)
{
    struct room *room = arg;
    http_poster_free(room->poster);
    free(room);
}

/* What a gateway needs beside the message: whom to reach how, where to say what became of it, which keys mean what. */
static void put_gateway(const struct room *room, const struct letter *letter, struct buf *out)
{
    const struct settings_notifier *s = room->settings;
    const char *base = s->gateway_callback[0] != '\0' ? s->gateway_callback : s->public_url;
    char token[TOKEN_MAIL_BYTES], callback[1024];
    struct wire_map map = wire_map_open(out);

    wire_put_key_text(out, "kind", room->kind), map.count++;
    wire_put_key_text(out, "to", letter->address), map.count++;
    if (base[0] != '\0' && room->key.count != 0) {
        token_mail_format(&room->key, TOKEN_RESULT, letter->delivery, letter->address, token);
        (void)snprintf(callback, sizeof callback, "%s/g/%s", base, token);
        wire_put_key_text(out, "callback", callback), map.count++;
    }
    bool is_joined = strcmp(letter->kind, "alerts") == 0; /* one of their tickets to take is not named */
    if ((letter_alert(letter) != 0 || is_joined) && strcmp(room->kind, "call") == 0) {
        wire_put_text(out, "keys"), map.count++;
        wire_put_map(out, is_joined ? 1 : 2);
        wire_put_key_text(out, "1", is_joined ? "acknowledge all" : "acknowledge");
        if (!is_joined)
            wire_put_key_text(out, "2", "acknowledge and take");
    }
    wire_map_close(out, &map);
}

static bool gateway_build(void *arg, const struct letter *letter, struct buf *out, struct err *err)
{
    const struct room *room = arg;
    struct buf extra;

    buf_init(&extra, EXTRA_BYTES_MAX);
    put_gateway(room, letter, &extra);
    const struct letter_extra gateway = {.key = "gateway", .value = buf_span(&extra)};
    bool ok = letter_to_json(letter, &gateway, HTTP_POST_BODY_BYTES_MAX, out, err);
    buf_clear(&extra);
    return ok;
}

static void gateway_start(void *arg, const struct outgoing *out, channel_end_fn *end_fn, void *end_arg)
{
    const struct room *room = arg;
    http_post(room->poster, room->settings->gateway_url, out, end_fn, end_arg);
}

#define GATEWAY                                                                                       \
    .slots = SLOTS, .address_slots = ADDRESS_SLOTS, .limit = POLICY_LIMIT_PHONE, .joins_pages = true, \
    .schedules = {[SCHEDULE_MESSAGE] = &schedule_mail, [SCHEDULE_PAGE] = &schedule_page},             \
    .close = gateway_close, .address_check = number_check, .build = gateway_build, .start = gateway_start

const struct channel channel_phone = {.text_chars_max = SPEECH_CHARS_MAX, .open = phone_open, GATEWAY};
const struct channel channel_sms = {.text_chars_max = SMS_CHARS_MAX, .open = sms_open, GATEWAY};
