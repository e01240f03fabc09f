/* A worker's connection to one broker: the conversation of docs/protocol-workers.md.
 *
 * Says hello, keeps alive, notices death, connects again, counts broken messages, drains on leaving. What the messages mean
 * beyond that (work, ask, process) is asked of the callbacks. Knows no rule, no clock of tickets, no settings file. */
#ifndef DOCKET_LINK_H
#define DOCKET_LINK_H

#include "buf.h"
#include "err.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

struct link;

/* Asked by the link, on the loop. Each writes one map into out: the body of the answer. */
struct link_calls {
    void *self;
    /* A version came. True: it is used for this broker from now on (ready). False: body is {process, errors} (refused). */
    bool (*on_process)(void *self, struct link *link, const struct wire_val *process, struct buf *out);
    /* A work came. True: body of `decision`. False: err is what `fail` says. */
    bool (*on_work)(void *self, struct link *link, const struct wire_val *work, struct buf *out,
                    struct err *err);
    /* A question. True: body of `answer`. False: err is told in it. */
    bool (*on_ask)(void *self, struct link *link, const struct wire_val *ask, struct buf *out,
                   struct err *err);
};

struct link_config {
    const char *endpoint;
    const char *name;
    const char *zones; /* version of the zone data */
    int64_t credits;
};

/* Connects (which never waits). The config's texts and calls must outlive the link. Never NULL. */
struct link *link_new(const struct link_config *config, const struct link_calls *calls, int64_t now_us);
void link_free(struct link *link); /* accepts NULL */

/* The socket to poll (a zsock_t *). It changes when the link connects again: link_generation counts these. */
void *link_socket(struct link *link);
unsigned link_generation(const struct link *link);

/* Takes what has arrived, at most a turn's worth. True when there may be more. */
bool link_receive(struct link *link, int64_t now_us);

/* To be called several times a second: heartbeats, judging, connecting again. A caller that was itself late says so, and
 * then nobody is judged. */
void link_tick(struct link *link, int64_t now_us, bool late);

/* No more work; what is out is still answered. */
void link_leave(struct link *link, int64_t now_us);
bool link_is_ready(const struct link *link); /* takes work */
bool link_has_left(const struct link *link);

/* The hash in use for this broker ("" when none), and what a callback wants to remember for it. */
const char *link_hash(const struct link *link);
void link_set_version(struct link *link, const char *hash, void *version);
void *link_version(const struct link *link);
const char *link_endpoint(const struct link *link);
uint64_t link_decisions(const struct link *link);

#endif
