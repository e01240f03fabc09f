/* One connection to a mail relay, and transactions over it, one after another. libcurl connects, speaks TLS and logs in
 * (CONNECT_ONLY); the transaction is spoken here, because libcurl's own waits for the last answer without returning to the
 * loop, and one slow recipient would hold up everything else.
 *
 * Knows one sender, one recipient and bytes; what an outcome means for the message is the channel's. Runs on the loop. */
#ifndef DOCKET_SMTP_LINK_H
#define DOCKET_SMTP_LINK_H

#include "curl_loop.h"

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/* Where a transaction ended. */
enum smtp_stage {
    SMTP_CONNECT, /* not even connected, or not logged in */
    SMTP_MAIL,
    SMTP_RCPT,
    SMTP_DATA, /* no complete message went out */
    SMTP_END   /* all of it went out */
};

struct smtp_end {
    enum smtp_stage stage;
    int status;        /* of the answer; 0: none came */
    const char *reply; /* printable: what the relay said, or what went wrong */
    /* False: the connection had been used before, and was over when this one began: try on a new one. */
    bool fresh;
};
typedef void smtp_end_fn(void *arg, const struct smtp_end *end);

/* What a connection is made with; outlives it. user "": no authentication. */
struct smtp_relay {
    zloop_t *loop;
    struct curl_loop *curl;
    const char *url, *ca_file, *user, *password;
    long use_ssl; /* CURLUSESSL_… */
    int64_t timeout_us;
};

struct smtp_link;

/* Starts connecting. */
struct smtp_link *smtp_link_new(const struct smtp_relay *relay);
/* Says goodbye if it may. A transaction under way ends without a call. Accepts NULL. */
void smtp_link_free(struct smtp_link *link);

/* Whether another transaction may begin; whether there will never be one again. */
bool smtp_link_is_idle(const struct smtp_link *link);
bool smtp_link_is_dead(const struct smtp_link *link);
int64_t smtp_link_idle_since(const struct smtp_link *link); /* monotonic µs */

/* Begins a transaction, now or once connected; ends with one call of end_fn, never from inside, within relay.timeout_us
 * if smtp_link_tick is called. bytes: CRLF line ends; stay until the end. from, to: checked addresses. */
void smtp_link_send(struct smtp_link *link, const char *from, const char *to, struct span bytes,
                    smtp_end_fn *end_fn, void *arg);

/* Several times a second: gives up what takes too long. */
void smtp_link_tick(struct smtp_link *link, int64_t now);

#endif
