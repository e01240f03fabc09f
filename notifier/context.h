/* The frozen snapshot a template reads (common/template_names.h): the facts of one message as a MessagePack map, in the words
 * and the zone of who reads it. Pure. */
#ifndef DOCKET_CONTEXT_H
#define DOCKET_CONTEXT_H

#include "render.h"
#include "wire.h"

/* Either side's words once their type has been judged: for render.c alone. What a type does not have stays empty. */
struct context_words {
    struct span body, earlier, triaged, asked, members, member_bodies, member_links, alert, alert_cause;
    int alert_priority;
    const char *code;
    int64_t inhibited;
    bool is_for_staff;
    struct span problem, extra;
};

/* The words of an entry of a body's questions; SPAN_NONE when it has none. */
struct span context_question(const struct wire_val *question);

/* Appends the map. */
void context_put(struct buf *out, const struct templates *templates, const char *locale,
                 const struct facts *facts, const struct context_words *words);

#endif
