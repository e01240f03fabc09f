/* What the files of deciding.h share: a decision on its way into the database. */
#ifndef DOCKET_DECIDING_INTERNAL_H
#define DOCKET_DECIDING_INTERNAL_H

#include "deciding.h"
#include "decision.h"
#include "desk.h"
#include "writer.h"

#include <stdbool.h>
#include <stdint.h>

struct deciding {
    struct unit unit;
    struct broker *broker;
    struct wire_doc *doc;
    struct decision decision;
    int32_t attempt, version; /* before */
    int32_t version_after;
    /* What it was decided with: process_log.n, as far as is known here (0: none was ever applied), and the version's hash
     * when it is not known here, so that the statement asks for it (else SPAN_NONE). */
    int32_t process;
    struct span process_unseen;
    bool fresh;
    bool writes_event; /* the decision's own: a wake at which nothing changed leaves no event */
    enum desk_event kind;
    struct span body; /* of that event, encoded, owned */
    char *tags;       /* array literal; NULL: not set */
    int64_t now_at;   /* what its work said that it was */
    int64_t early_at; /* the database's clock, when it had not got there yet; else 0 */
    int64_t due_at;   /* the wake time that was waited for; 0: it woke for something else */
    int64_t wake_at;  /* 0: none */
    bool keeps;       /* the next wake is near: it stays ours */
    int class_after;
    bool done;
    bool background; /* computed again: no work of the desk's own */
};

#endif
