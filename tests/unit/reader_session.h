/* A reader's session on a loop of its own, for tests of the broker's readers: ask, then turn until the answer
 * is there. */
#ifndef DOCKET_READER_SESSION_H
#define DOCKET_READER_SESSION_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <czmq.h>

#include "clock.h"
#include "embed.h"
#include "pg.h"
#include "statements_reader.h"

struct reader_session {
    zloop_t *loop;
    struct pg *pg;
    struct pg_params *params;
    struct pg_statement statements[READER_STATEMENTS];
    char names[READER_STATEMENTS][64];
    bool up;
    const bool *until;
    int64_t deadline_us;
};

static inline int reader_session_on_tick(zloop_t *loop, int timer, void *arg)
{
    struct reader_session *s = arg;
    (void)loop;
    (void)timer;
    return *s->until || clock_mono_us() > s->deadline_us ? -1 : 0;
}

/* Turns the loop until *flag, at most 10 s; gives the flag. */
static inline bool reader_session_wait(struct reader_session *s, const bool *flag)
{
    s->until = flag;
    s->deadline_us = clock_mono_us() + 10 * US_PER_S;
    int timer = zloop_timer(s->loop, 1, 0, reader_session_on_tick, s);
    if (!*flag)
        (void)zloop_start(s->loop);
    (void)zloop_timer_end(s->loop, timer);
    return *flag;
}

static inline void reader_session_on_up(void *arg)
{
    ((struct reader_session *)arg)->up = true;
}

static inline void reader_session_on_down(void *arg, const char *why)
{
    (void)why;
    ((struct reader_session *)arg)->up = false;
}

static inline void reader_session_on_refused(void *arg, const char *why)
{
    (void)arg;
    (void)fprintf(stderr, "reader session: %s\n", why);
}

static inline bool reader_session_open(struct reader_session *s, const char *dsn)
{
    static const char *const files[] = {
#define X(name, file) file,
        STATEMENTS_READER(X)
#undef X
    };
    struct err err;

    for (int i = 0; i < READER_STATEMENTS; i++) {
        (void)snprintf(s->names[i], sizeof s->names[i], "%s.sql", files[i]);
        const struct embed_file *file = embed_find(broker_sql, broker_sql_count, s->names[i]);
        if (file == NULL) {
            (void)fprintf(stderr, "no statement %s\n", s->names[i]);
            return false;
        }
        s->statements[i] = (struct pg_statement){files[i], (const char *)file->data};
    }
    struct pg_config config = {.dsn = dsn,
                               .name = "test-reader",
                               .session_sql = READER_SESSION_SQL,
                               .statements = s->statements,
                               .statement_count = READER_STATEMENTS,
                               .on_up = reader_session_on_up,
                               .on_down = reader_session_on_down,
                               .on_refused = reader_session_on_refused,
                               .arg = s};
    s->loop = zloop_new();
    s->params = pg_params_new();
    return pg_new(s->loop, &config, &s->pg, &err) && reader_session_wait(s, &s->up);
}

static inline void reader_session_close(struct reader_session *s)
{
    pg_free(s->pg);
    pg_params_free(s->params);
    zloop_destroy(&s->loop);
}

#endif
