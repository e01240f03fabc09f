/* The ticket of a trial as a broker would send it to a worker; see trial.h. */
#include "trial_internal.h"

#include "work.h"

#include <stddef.h>

static void put_name(struct buf *out, const char *key, const char *name)
{
    wire_put_key_text(out, key, name[0] == '\0' ? NULL : name);
}

static void put_held(const struct trial *trial, struct buf *out)
{
    static const struct {
        unsigned bit;
        const char *name;
    } rows[] = {{HELD_PRIORITY, "priority"}, {HELD_QUEUE, "queue"},           {HELD_ASSIGNEE, "assignee"},
                {HELD_TAGS, "tags"},         {HELD_ATTRIBUTES, "attributes"}, {HELD_KIND, "kind"}};

    wire_put_text(out, "held");
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((trial->held & rows[i].bit) != 0)
            wire_put_text(out, rows[i].name), list.count++;
    wire_list_close(out, &list);
}

static void put_posted(const struct trial *trial, struct buf *out, struct wire_map *map)
{
    struct wire_doc *doc = NULL;

    if (!wire_parse(trial->posted.p, trial->posted.len, TRIAL_DEPTH_MAX, &doc, NULL))
        return;
    for (size_t i = 0; i < wire_count(wire_root(doc)); i++)
        if (!work_is_made_by_life(wire_key_at(wire_root(doc), i))) {
            wire_put_str(out, wire_key_at(wire_root(doc), i));
            wire_put_val(out, wire_val_at(wire_root(doc), i)), map->count++;
        }
    wire_doc_free(doc);
}

/* What the broker adds to every ticket: the customer's name, the channel. Without it a rule would see here what it never sees in life. */
static void put_given(const struct trial *trial, struct buf *out, struct wire_map *map)
{
    struct wire_doc *posted = NULL, *customer = NULL;

    if (wire_parse(trial->posted.p, trial->posted.len, TRIAL_DEPTH_MAX, &posted, NULL) &&
        wire_find(wire_root(posted), "channel") == NULL)
        wire_put_key_text(out, "channel", "ticket"), map->count++;
    if (posted != NULL && wire_find(wire_root(posted), "customer") == NULL && trial->customer.len != 0 &&
        wire_parse(trial->customer.p, trial->customer.len, TRIAL_DEPTH_MAX, &customer, NULL) &&
        wire_find(wire_root(customer), "id") != NULL)
        wire_put_key_val(out, "customer", wire_find(wire_root(customer), "id")), map->count++;
    wire_doc_free(posted);
    wire_doc_free(customer);
}

void trial_put_ticket(const struct trial *trial, struct buf *out)
{
    struct wire_map map = wire_map_open(out);

    put_posted(trial, out, &map);
    put_given(trial, out, &map);
    wire_put_key_text(out, "tracking", "DKT-0000-0000-0001-E"), map.count++;
    put_name(out, "package", trial->package), map.count++;
    if (trial->moved)
        wire_put_key_text(out, "posted_package", trial->posted_package), map.count++;
    wire_put_key_text(out, "state", desk_state_name(trial->state)), map.count++;
    wire_put_text(out, "priority"), map.count++;
    if (trial->priority == 0)
        wire_put_nil(out);
    else
        wire_put_int(out, trial->priority);
    put_name(out, "queue", trial->queue), map.count++;
    put_name(out, "assignee", trial->assignee), map.count++;
    put_name(out, "kind", trial->kind), map.count++;
    wire_put_text(out, "tags"), map.count++;
    wire_put_raw(out, buf_span(&trial->tags));
    put_held(trial, out), map.count++;
    wire_put_key_bool(out, "reply_pending", trial->reply_pending), map.count++;
    wire_put_key_int(out, "version", trial->version), map.count++;
    if (trial->version > 1)
        wire_put_key_int(out, "decided", trial->decided), map.count++;
    wire_put_key_int(out, "posted_at", trial->posted_at), map.count++;
    wire_put_key_int(out, "updated_at", trial->updated_at), map.count++;
    wire_put_text(out, "clocks"), map.count++;
    wire_put_raw(out, buf_span(&trial->clocks));
    wire_map_close(out, &map);
}

static void put_verdicts(const struct trial *trial, struct buf *out)
{
    wire_put_text(out, "deadlines");
    wire_put_list(out, trial->verdict_count);
    for (size_t i = 0; i < trial->verdict_count; i++) {
        const struct work_verdict *v = &trial->verdicts[i];
        wire_put_map(out, 12);
        wire_put_key_text(out, "clock", clock_kind_name(v->kind));
        wire_put_key_int(out, "cycle", v->cycle);
        wire_put_key_text(out, "verdict", v->missed ? "missed" : "met");
        wire_put_key_int(out, "priority", v->priority);
        wire_put_key_int(out, "promise_s", v->promise_s);
        wire_put_key_int(out, "due_at", v->due_at);
        work_put_instant(out, "met_at", v->met_at);
        wire_put_key_int(out, "worked_s", v->worked_s);
        wire_put_key_int(out, "paused_s", v->paused_s);
        wire_put_key_int(out, "judged_at", v->judged_at);
        wire_put_key_str(out, "process", v->process);
        wire_put_key_str(out, "zones", v->zones);
    }
}

void trial_put_work(const struct trial *trial, int64_t now, struct buf *out)
{
    wire_put_map(out, 6);
    wire_put_text(out, "ticket");
    trial_put_ticket(trial, out);
    wire_put_text(out, "customer");
    if (trial->customer.len == 0)
        wire_put_nil(out);
    else
        wire_put_raw(out, buf_span(&trial->customer));
    wire_put_text(out, "events");
    wire_put_list(out, trial->event_count);
    (void)buf_add_span(out, buf_span(&trial->events));
    wire_put_text(out, "reasons");
    wire_put_list(out, 1);
    wire_put_text(out, trial->reason);
    wire_put_key_int(out, "now", now);
    put_verdicts(trial, out);
}
