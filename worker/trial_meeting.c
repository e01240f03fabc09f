/* A meeting of a trial made, moved or cancelled, as the broker's change_meeting.c does it; see trial.h.
 *
 * A meeting is what its last event says. The first that a ticket has is m1, the next m2: a step can name it. */
#include "trial_internal.h"

#include "clock.h"
#include "faults.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DURATION_S = 1800, ID_BYTES = 24 };

/* All meetings that there were, each as its last event has it. */
struct meetings_known {
    struct wire_doc *doc; /* the events; NULL: none */
    const struct wire_val **items;
    size_t count;
};

static const struct wire_val *known_find(const struct meetings_known *known, struct span id)
{
    for (size_t i = 0; i < known->count; i++)
        if (span_equal(wire_find_str(known->items[i], "id"), id))
            return known->items[i];
    return NULL;
}

static void known_add(struct meetings_known *known, const struct wire_val *meeting)
{
    for (size_t i = 0; i < known->count; i++)
        if (span_equal(wire_find_str(known->items[i], "id"), wire_find_str(meeting, "id"))) {
            known->items[i] = meeting;
            return;
        }
    known->items[known->count++] = meeting;
}

static void known_read(const struct trial *trial, struct meetings_known *ret)
{
    struct buf list;

    *ret = (struct meetings_known){NULL, mem_new(trial->event_count + 1, sizeof *ret->items), 0};
    buf_init(&list, TRIAL_BYTES_MAX);
    wire_put_list(&list, trial->event_count);
    (void)buf_add_span(&list, buf_span(&trial->events));
    if (wire_parse(list.p, list.len, TRIAL_DEPTH_MAX, &ret->doc, NULL))
        for (size_t i = 0; i < wire_count(wire_root(ret->doc)); i++) {
            const struct wire_val *event = wire_at(wire_root(ret->doc), i);
            const struct wire_val *meeting = wire_find(wire_find(event, "body"), "meeting");
            if (span_is(wire_find_str(event, "kind"), "meeting") && wire_type(meeting) == WIRE_MAP)
                known_add(ret, meeting);
        }
    buf_clear(&list);
}

static void known_clear(struct meetings_known *known)
{
    wire_doc_free(known->doc);
    free(known->items);
}

static bool known_lacks(const struct meetings_known *known, struct span id, struct err *err)
{
    const char **names = mem_new(known->count + 1, sizeof *names);
    char *texts = mem_new(known->count + 1, ID_BYTES), name[ID_BYTES], hint[FAULTS_HINT_BYTES];

    for (size_t i = 0; i < known->count; i++) {
        struct span is = wire_find_str(known->items[i], "id");
        (void)snprintf(texts + i * ID_BYTES, ID_BYTES, "%.*s", (int)is.len, is.p);
        names[i] = texts + i * ID_BYTES;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)id.len, id.p);
    faults_hint(name, names, known->count, hint, sizeof hint);
    free(names);
    free(texts);
    return err_field(err, ERR_INVALID, "meeting", "meeting: the ticket has none of the name \"%s\"%s", name,
                     hint);
}

/* What the op says, else what the meeting was, else nil. */
static const struct wire_val *said_or_was(const struct wire_val *body, const char *key,
                                          const struct wire_val *was, const char *was_key)
{
    const struct wire_val *said = wire_find(body, key);

    return said != NULL ? said : wire_find(was, was_key);
}

static void put_found(struct buf *out, const char *key, const struct wire_val *val)
{
    wire_put_text(out, key);
    if (val == NULL)
        wire_put_nil(out);
    else
        wire_put_val(out, val);
}

static bool package_has(const struct trial *trial, const struct wire_val *medium, struct err *err)
{
    const struct process_package *package =
        process_package_find(engine_process(trial->engine), span_of(trial->package));
    struct span by = SPAN_NONE;

    if (!wire_get_str(medium, &by) || package == NULL ||
        (package->meetings & (span_is(by, "im") ? CHANNEL_IM : CHANNEL_PHONE)) != 0)
        return true;
    return err_field(err, ERR_CONFLICT, "medium", "medium: the ticket's package has no meetings by %.*s",
                     (int)by.len, by.p);
}

static void meeting_put(const struct wire_val *body, const struct wire_val *was, const char *id,
                        bool cancelled, struct buf *out)
{
    const struct wire_val *at = said_or_was(body, "at", was, "starts_at");
    const struct wire_val *lasts = said_or_was(body, "duration_s", was, "duration_s");
    int64_t starts_at = 0, duration_s = DURATION_S;

    (void)wire_get_int(lasts, &duration_s);
    wire_put_map(out, 1);
    wire_put_text(out, "meeting");
    wire_put_map(out, 9);
    wire_put_key_text(out, "id", id);
    wire_put_key_text(out, "what", cancelled ? "cancelled" : was == NULL ? "made" : "moved");
    put_found(out, "medium", said_or_was(body, "medium", was, "medium"));
    put_found(out, "starts_at", at);
    wire_put_text(out, "ends_at");
    if (wire_get_int(at, &starts_at))
        wire_put_int(out, starts_at + duration_s * US_PER_S);
    else
        wire_put_nil(out); /* when it begins was left out */
    wire_put_key_int(out, "duration_s", duration_s);
    put_found(out, "reminder_s", said_or_was(body, "reminder_s", was, "reminder_s"));
    put_found(out, "where", said_or_was(body, "where", was, "where"));
    put_found(out, "attendees", said_or_was(body, "attendees", was, "attendees"));
}

bool trial_meeting_put(const struct trial *trial, const struct wire_val *body, struct buf *out,
                       struct err *err)
{
    struct span name = wire_find_str(body, "meeting");
    bool cancelled = wire_find_bool(body, "cancel", false);
    struct meetings_known known;
    char id[ID_BYTES];

    if (wire_type(wire_find(body, "meeting")) == WIRE_MAP) {
        wire_put_val(out, body);
        return true;
    }
    known_read(trial, &known);
    const struct wire_val *was = name.len == 0 ? NULL : known_find(&known, name);
    (void)snprintf(id, sizeof id, "m%zu", known.count + 1);
    if (was != NULL)
        (void)snprintf(id, sizeof id, "%.*s", (int)name.len, name.p);
    bool ok = name.len == 0 || was != NULL || known_lacks(&known, name, err);
    ok = ok && (cancelled || package_has(trial, said_or_was(body, "medium", was, "medium"), err));
    if (ok)
        meeting_put(body, was, id, cancelled, out);
    known_clear(&known);
    return ok;
}
