/* What the files of the workers' endpoint share: sessions, works, questions. */
#ifndef DOCKET_WORKERS_INTERNAL_H
#define DOCKET_WORKERS_INTERNAL_H

#include "workers.h"

#include "beat.h"
#include "handout.h"
#include "sending.h"

#include <uthash.h>
#include <utlist.h>

enum {
    RID_BYTES_MAX = 255,
    SHORT_TEXT_MAX = 64,
    HASH_TEXT_MAX = 128,
    BROKEN_MAX = 5, /* malformed messages in a row that end a session */
    WORKERS_MESSAGE_BYTES_MAX = 4 * 1024 * 1024,
    WORKERS_DEPTH_MAX = 32
};

/* One work that was handed out, from sending until it is answered or given up. */
struct work {
    int64_t id;
    struct wake *wake; /* NULL: its owner took it back */
    struct session *session;
    int64_t sent_us;
    struct work *prev, *next;           /* of the session */
    struct work *late_prev, *late_next; /* of all, in order of sending: the first is late first */
    UT_hash_handle hh;
};

/* One connection. A session that did not say hello is a stranger: it is told hello? once an interval. */
struct session {
    char rid[RID_BYTES_MAX];
    size_t rid_len;
    char name[SHORT_TEXT_MAX + 1];
    char version[SHORT_TEXT_MAX + 1];
    char zones[SHORT_TEXT_MAX + 1];
    char process[HASH_TEXT_MAX + 1];
    bool greeted;
    bool leaving; /* it said bye, or it was told bye */
    bool late;    /* did not answer a work in time; takes no more until it answers one */
    bool gone;    /* could not be sent to: ended on the next turn */
    bool unsent;  /* a work, at that */
    struct handout handout;
    size_t room, room_p1; /* as counted in the totals */
    unsigned broken;
    int64_t heard_us, sent_us;
    struct work *works;
    struct wake
        *promised; /* a suspect that waits (SOLO_WAITING), with the message to send; NULL: taken back */
    struct buf promise;
    int64_t promise_id;
    UT_hash_handle hh;
};

/* One question to one worker. */
struct asked {
    int64_t id;
    struct session *session;
    struct question *question;
    struct asked *prev, *next;
};

struct question {
    workers_answer_fn *fn;
    void *arg;
    int64_t until_us;
    size_t left;
};

struct workers {
    struct workers_config config;
    char *name;
    zsock_t *sock;
    void *handle; /* the same, for libzmq */
    struct sending *sending;
    bool holds; /* works gather, and nothing else */
    char *endpoint;
    int timer;
    int soon; /* timer of the next turn; -1 when none is set */
    bool draining;
    bool owes_turn; /* on_turn */
    struct beat beat;
    struct session *sessions;
    size_t room, room_p1; /* over all sessions */
    struct work *works;   /* by id */
    struct work *late;    /* by time of sending */
    struct asked *asked;
    int64_t last_id;
    char *hash; /* the current process; NULL: none */
    struct buf files;
    struct buf out;
    int64_t stranger_logged_us;
};

/* ---- workers_send.c: sending, the words of the protocol ---- */

/* Begins a message in workers->out: everything but the body, which must follow. id 0: none. */
struct buf *workers_message(struct workers *workers, const char *op, int64_t id);
void workers_message_into(struct buf *out, const char *op, int64_t id);
bool workers_send(struct workers *workers, struct session *session, const struct buf *message,
                  int64_t now_us);
void workers_on_unsent(void *arg, struct span rid); /* a message for that peer could not be sent */
void workers_send_empty(struct workers *workers, struct session *session, const char *op, int64_t now_us);
void workers_send_welcome(struct workers *workers, struct session *session, int64_t now_us);
void workers_send_process(struct workers *workers, struct session *session, int64_t now_us);

/* Copies text into ret of size bytes with a NUL, cut between characters. */
void workers_text_copy(char *ret, size_t size, struct span text);

/* The head of an encoded map: how many entries, and their bytes. */
bool workers_map_open(struct span map, size_t *ret_count, struct span *ret_entries);

/* ---- workers_works.c: what is out ---- */

int64_t workers_now(const struct workers *workers);
void workers_session_count(struct workers *workers, struct session *session); /* after any change of it */
struct work *workers_work_find(struct workers *workers, const struct session *session, int64_t id);
struct wake *workers_work_end(struct workers *workers, struct work *work,
                              int64_t now_us); /* its wake, or NULL */
void workers_promise_void(struct workers *workers, struct session *session);
void workers_works_void(struct workers *workers, struct session *session);
void workers_works_late(struct workers *workers, int64_t now_us);
bool workers_bye_when_empty(struct workers *workers, struct session *session, int64_t now_us);

/* ---- workers_ask.c ---- */

bool workers_on_answer(struct workers *workers, struct session *session, const int64_t *id,
                       const struct wire_val *body);
void workers_asked_void(struct workers *workers, const struct session *session);
void workers_asked_late(struct workers *workers, int64_t now_us);

/* ---- workers.c ---- */

void workers_soon(struct workers *workers);

#endif
