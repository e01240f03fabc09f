/* The notifier: what one process holds together. Each part has a room of its own and calls only those below it; where they meet is
 * notifier_life.h. */
#ifndef DOCKET_NOTIFIER_H
#define DOCKET_NOTIFIER_H

#include "answer_limit.h"
#include "away.h"
#include "channel.h"
#include "err.h"
#include "http.h"
#include "lanes.h"
#include "metrics.h"
#include "pg.h"
#include "settings_notifier.h"
#include "statements.h"
#include "templates.h"
#include "token.h"

#include <czmq.h>

struct escal_people;
struct escal_room;
struct ending;
struct job;
struct publisher;
struct broker_ask;
struct links;
struct audit;
struct template_faults;
struct zones;

/* Why a message ended undelivered: dead_total. */
enum dead_reason { DEAD_REFUSED, DEAD_EXPIRED, DEAD_UNSENDABLE, DEAD_REASONS };

enum told_count { TOLD_EXPANDED, TOLD_SUPPRESSED, TOLD_MERGED, TOLD_COUNTS };

struct notifier {
    struct settings_notifier settings;
    const char *config_path;
    zloop_t *loop;
    struct pg *tell, *unpack, *feed;
    struct away away; /* while one of them cannot be opened */
    struct pg_params *params;
    struct pg_statement tell_statements[TELL_STATEMENTS], unpack_statements[UNPACK_STATEMENTS],
        feed_statements[FEED_STATEMENTS];
    struct curl_loop *curl;
    struct channel_host channel_host;
    struct lanes *lanes;
    struct job *jobs; /* deliveries under way (deliver.c) */
    struct templates *templates;
    struct template_faults *template_faults;
    struct zones *zones;
    struct publisher *publisher;
    struct escal_people *people; /* of the current process */
    struct escal_room *escal;
    struct http *http;
    int signal_fd; /* 0: not opened */
    struct broker_ask *ask;
    struct audit *audit;
    struct links *links;       /* NULL: there are none */
    struct token_key link_key; /* signs links in messages; no keys: there are none */
    struct metrics *metrics;
    struct metric *steps, *nobody, *left_out, *alerts; /* of the escalations */
    struct metric *told, *attempts, *repeats, *dead, *acknowledged, *waiting, *oldest, *breakers, *held_gauge,
        *name_taken, *answers_ignored;
    zsock_t *pokes;
    int32_t process_n;
    bool process_read; /* it was looked for: who is told, when and in which words is known */
    bool expanding;    /* outbox rows are being claimed or expanded */
    struct ending *endings_wait, *endings_sent; /* not written yet; being written (endings.c) */
    bool held; /* nothing is told: see tell_beat.sql; so until the database has said otherwise */
    bool hold; /* to be said with the next beat */
    const char *hold_why;
    int64_t since_at; /* of the database: when this process first spoke to it; 0: not yet */
    bool has_name;    /* no other notifier that lives has our name */
    int name_tries;
    int64_t run;               /* by chance: tells this process from others that share a relay */
    int64_t system_identifier; /* of the database seen last; 0: none yet */
    int32_t timeline;
    struct answer_limit answer_limit;
    bool ending;
    bool claiming[CHANNELS]; /* deliveries of that channel are being claimed */
    /* something was committed by which deliveries may have come due: looked for once all is read */
    bool may_deliver;
    int64_t due_us[CHANNELS]; /* monotonic: when the next that waits is due; 0: unknown, or none */
    bool look_again;          /* a poke came meanwhile */
    bool expand_more;         /* the outbox has more than one claim took */
    int64_t expand_at_us;     /* monotonic: when it is taken also while a channel has all it can carry */
    bool fed[CHANNELS];       /* the last claim of that channel found as much as it can carry */
    int64_t polled_us;
    bool polling;
    int64_t expanded,
        planned_for; /* rows this session expanded; and had, when its statements were planned last */
    bool stopping;
    int64_t stop_by_us;
};

#endif
