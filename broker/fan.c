/* From a parent to its children; see fan.h. */
#include "fan.h"
#include "broker.h"
#include "change_internal.h"
#include "change_plans.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "pg.h"
#include "read_end.h"
#include "statements.h"
#include "tracking.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <uthash.h>

enum { WINDOW = 16, PAGE = 500, LOOK_EVERY_MS = 1000, DIGEST_BYTES = 16 };

/* Somebody who was told already. */
struct told {
    unsigned char digest[DIGEST_BYTES];
    UT_hash_handle hh;
};

struct child {
    int64_t ticket;
    unsigned char who[DIGEST_BYTES];
};

/* The one piece of work that is under way. */
struct fan {
    struct broker *broker;
    int64_t epoch, ticket, began_us;
    int32_t version;
    char tracking[TRACKING_TEXT_BYTES];
    struct change_input *input; /* NULL: not read yet */
    int64_t event_at;
    struct told *told;
    struct child page[PAGE];
    size_t page_count, next, in_flight, done, refused;
    int64_t last_child;
    bool is_last_page, reading, failed, going;
};

static void fan_go(struct fan *fan);

void fan_free(struct fan *fan)
{
    struct told *told, *next;

    if (fan == NULL)
        return;
    HASH_ITER(hh, fan->told, told, next)
    {
        HASH_DEL(fan->told, told);
        free(told);
    }
    change_input_release(fan->input);
    free(fan);
}

/* ---- who is told ---- */

/* A person is a ticket's contact where it has one, else its customer. */
static void who_digest(struct span customer, struct span extra, unsigned char ret[DIGEST_BYTES])
{
    struct wire_doc *doc = NULL;
    struct err unused;
    struct buf form;

    buf_init(&form, CHANGE_BODY_BYTES_MAX);
    wire_put_str(&form, customer);
    if (extra.p != NULL && wire_parse(extra.p, extra.len, WIRE_DEPTH_MAX, &doc, &unused) &&
        wire_find(wire_root(doc), "contact") != NULL)
        wire_put_canonical(&form, wire_find(wire_root(doc), "contact"));
    (void)crypto_generichash(ret, DIGEST_BYTES, (const unsigned char *)form.p, form.len, NULL, 0);
    buf_clear(&form);
    wire_doc_free(doc);
}

/* True: they were told before. */
static bool who_is_told(struct fan *fan, const unsigned char who[DIGEST_BYTES])
{
    struct told *told;

    HASH_FIND(hh, fan->told, who, DIGEST_BYTES, told);
    if (told != NULL)
        return true;
    told = mem_new(1, sizeof *told);
    memcpy(told->digest, who, DIGEST_BYTES);
    HASH_ADD(hh, fan->told, digest, DIGEST_BYTES, told);
    return false;
}

/* ---- the end ---- */

/* The row stays when something failed: it is begun again. */
static void fan_end(struct fan *fan)
{
    struct broker *broker = fan->broker;

    if (!fan->failed && broker->epoch == fan->epoch && pg_is_up(broker->control_pg)) {
        pg_params_reset(broker->params);
        pg_put_int8(broker->params, fan->ticket);
        pg_put_int4(broker->params, fan->version);
        (void)pg_send(broker->control_pg, C_FAN_DONE, broker->params, NULL, NULL);
        pg_sync(broker->control_pg, NULL, NULL);
        log_event(LOG_INFO, "children_changed",
                  "tracking=%s version=%d children=%zu refused=%zu took_ms=%lld", fan->tracking,
                  (int)fan->version, fan->done, fan->refused,
                  (long long)((clock_mono_us() - fan->began_us) / US_PER_MS));
    }
    bool again = !fan->failed;
    broker->fan = NULL;
    fan_free(fan);
    if (again)
        fan_kick(broker);
}

/* ---- the children ---- */

static void fan_on_changed(void *arg, const struct change_result *result)
{
    struct fan *fan = arg;

    fan->in_flight--;
    fan->done++;
    /* A child that is closed, say, is left as it is. */
    fan->refused += result->err.code != ERR_NONE;
    fan->failed = fan->failed || err_is_retry(result->err.code);
    if (!fan->going)
        fan_go(fan);
}

static void fan_key(const struct fan *fan, int64_t child, unsigned char ret[16])
{
    int64_t facts[3] = {fan->ticket, fan->version, child};
    (void)crypto_generichash(ret, 16, (const unsigned char *)facts, sizeof facts,
                             (const unsigned char *)"docket fan 00001", 16);
}

static void fan_change(struct fan *fan, const struct child *child)
{
    unsigned char key[16];
    bool tells = fan->input->plan.tell != NULL;

    fan_key(fan, child->ticket, key);
    fan->in_flight++;
    change_order(fan->broker, fan->input,
                 &(struct change_order){.ticket = child->ticket,
                                        .key_digest = key,
                                        .told_elsewhere =
                                            tells && who_is_told(fan, child->who) ? fan->tracking : NULL,
                                        .done = fan_on_changed,
                                        .arg = fan});
}

static void page_on_rows(void *arg, PGresult *rows)
{
    struct fan *fan = arg;

    fan->page_count = (size_t)PQntuples(rows);
    fan->next = 0;
    fan->is_last_page = fan->page_count < PAGE;
    for (int i = 0; i < PQntuples(rows); i++) {
        fan->page[i].ticket = fan->last_child = pg_int(rows, i, 0);
        who_digest(pg_span(rows, i, 1), pg_span(rows, i, 2), fan->page[i].who);
    }
}

static void on_read(void *arg, const struct pg_end *end)
{
    struct fan *fan = arg;
    struct err err;

    fan->reading = false;
    fan->failed = fan->failed || !read_end_is_ok(end, "fan", &err);
    fan_go(fan);
}

static void fan_read_page(struct fan *fan)
{
    struct broker *broker = fan->broker;

    fan->reading = true;
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, fan->ticket);
    pg_put_int8(broker->params, fan->last_child);
    pg_put_int8(broker->params, fan->event_at);
    pg_put_int4(broker->params, PAGE);
    (void)pg_send(broker->reader_pg, READER_FAN_PAGE, broker->params, page_on_rows, fan);
    pg_sync(broker->reader_pg, on_read, fan);
}

static void fan_go(struct fan *fan)
{
    fan->going = true;
    fan->failed = fan->failed || fan->broker->epoch != fan->epoch || fan->input == NULL;
    while (!fan->failed && fan->next < fan->page_count && fan->in_flight < WINDOW)
        fan_change(fan, &fan->page[fan->next++]);
    fan->going = false;
    if (fan->in_flight != 0 || fan->reading)
        return;
    if (fan->failed || fan->is_last_page)
        fan_end(fan);
    else
        fan_read_page(fan);
}

/* ---- the parent's event ---- */

/* The same words, with where they came from and when they were said: the child's clocks count from then. */
static struct span child_body(const struct wire_val *body, const char *tracking, int64_t said_at)
{
    struct buf out;

    buf_init(&out, CHANGE_BODY_BYTES_MAX);
    wire_put_map(&out, wire_count(body) + 2);
    for (size_t i = 0; i < wire_count(body); i++) {
        wire_put_str(&out, wire_key_at(body, i));
        wire_put_val(&out, wire_val_at(body, i));
    }
    wire_put_key_text(&out, "parent", tracking);
    wire_put_key_int(&out, "said_at", said_at);
    return buf_take_span(&out);
}

static void event_on_rows(void *arg, PGresult *rows)
{
    struct fan *fan = arg;
    enum { KIND, ROLE, ACTOR, BODY, AT, CUSTOMER, EXTRA };
    struct change_input *input;
    unsigned char who[DIGEST_BYTES];
    struct span actor, bytes;
    struct err unused;

    if (PQntuples(rows) == 0)
        return;
    input = change_input_new();
    actor = pg_span(rows, 0, ACTOR);
    bytes = pg_span(rows, 0, BODY);
    input->role = (enum desk_role)pg_int(rows, 0, ROLE);
    input->op = "this";
    (void)snprintf(input->actor, sizeof input->actor, "%.*s", (int)actor.len, actor.p == NULL ? "" : actor.p);
    if (!wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &input->doc, &unused) ||
        !change_plan_of_child((enum desk_event)pg_int(rows, 0, KIND), input->role, wire_root(input->doc),
                              &input->plan)) {
        change_input_release(input);
        return;
    }
    fan->event_at = pg_int(rows, 0, AT);
    input->event_body = child_body(wire_root(input->doc), fan->tracking, fan->event_at);
    if (input->plan.tell != NULL)
        change_input_tell(input);
    fan->input = input;
    who_digest(pg_span(rows, 0, CUSTOMER), pg_span(rows, 0, EXTRA), who);
    if (input->plan.tell != NULL)
        (void)who_is_told(fan, who);
}

/* ---- looking for work ---- */

static void claim_on_rows(void *arg, PGresult *rows)
{
    struct fan *fan = arg;

    if (PQntuples(rows) == 0)
        return;
    fan->ticket = pg_int(rows, 0, 0);
    fan->version = (int32_t)pg_int(rows, 0, 1);
}

static void claim_on_end(void *arg, const struct pg_end *end)
{
    struct fan *fan = arg;
    struct broker *broker = fan->broker;

    if (end->outcome != PG_OK || fan->ticket == 0 || !pg_is_up(broker->reader_pg)) {
        broker->fan = NULL;
        fan_free(fan);
        return;
    }
    tracking_format(fan->ticket, broker->settings.tracking_prefix, fan->tracking);
    fan->reading = true;
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, fan->ticket);
    pg_put_int4(broker->params, fan->version);
    (void)pg_send(broker->reader_pg, READER_FAN_EVENT, broker->params, event_on_rows, fan);
    pg_sync(broker->reader_pg, on_read, fan);
}

void fan_kick(struct broker *broker)
{
    if (broker->fan != NULL || broker->epoch == 0 || broker->stopping || !pg_is_up(broker->control_pg))
        return;
    struct fan *fan = mem_new(1, sizeof *fan);
    fan->broker = broker;
    fan->epoch = broker->epoch;
    fan->began_us = clock_mono_us();
    broker->fan = fan;
    broker->fan_looked_us = fan->began_us;
    pg_params_reset(broker->params);
    pg_put_int8(broker->params, broker->epoch);
    (void)pg_send(broker->control_pg, C_FAN_CLAIM, broker->params, claim_on_rows, fan);
    pg_sync(broker->control_pg, claim_on_end, fan);
}

void fan_tick(struct broker *broker)
{
    if (clock_mono_us() - broker->fan_looked_us >= LOOK_EVERY_MS * US_PER_MS)
        fan_kick(broker);
}
