/* One request and its answer; posting a ticket. */
#include "lib_internal.h"

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A changing request always has a key: without one it could not be repeated. */
static bool call_add_key(const char *op, struct docket_body *body, struct docket_error *error)
{
    char key[DOCKET_KEY_BYTES_MAX + 1];

    if (body == NULL || body->has_key || docket_op_reads(op))
        return true;
    if (!docket_key_random(key, sizeof key))
        return lib_error_set(error, DOCKET_INTERNAL, "no random numbers for a key");
    docket_body_text(body, "key", key);
    return true;
}

bool docket_send(struct docket_client *client, const char *op, struct docket_body *body, uint64_t tag,
                 uint64_t *ret_id, struct docket_error *error)
{
    struct span bytes;

    return call_add_key(op, body, error) && lib_body_finish(body, &bytes, error) &&
           lib_client_send(client, op, bytes, tag, ret_id, error);
}

bool docket_receive(struct docket_client *client, int wait_ms, struct docket_answer **ret_answer,
                    struct docket_error *error)
{
    struct lib_answer raw = {0};

    if (!lib_client_receive(client, wait_ms, &raw, error))
        return false;
    struct docket_answer *answer = lib_answer_wrap(&raw);
    if (answer == NULL)
        return lib_error_set(error, DOCKET_INTERNAL, "out of memory");
    *ret_answer = answer;
    return true;
}

/* One try: send, wait until deadline_us. The answer may be a refusal. */
static bool call_once(struct docket_client *client, const char *op, struct docket_body *body,
                      int64_t deadline_us, struct docket_answer **ret, struct docket_error *error)
{
    uint64_t id = 0;

    if (!docket_send(client, op, body, 0, &id, error))
        return false;
    int64_t left_ms = (deadline_us - clock_mono_us()) / US_PER_MS;
    if (docket_receive(client, (int)(left_ms < 0 ? 0 : left_ms), ret, error))
        return true;
    docket_forget(client, id);
    return false;
}

/* Asks, and asks the other brokers while one says that it is cut off from its database. */
static bool call_all(struct docket_client *client, const char *op, struct docket_body *body,
                     struct docket_answer **ret, struct docket_error *error)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)lib_client_timeout_ms(client) * US_PER_MS;

    lib_client_refused(client, SPAN_NONE);
    for (size_t asked = 1;; asked++) {
        struct docket_answer *answer = NULL;
        if (!call_once(client, op, body, deadline_us, &answer, error))
            return false;
        const struct docket_error *refusal = docket_answer_error(answer);
        if (refusal == NULL) {
            *ret = answer;
            return true;
        }
        bool next = refusal->code == DOCKET_UNAVAILABLE && asked < lib_client_brokers(client);
        if (error != NULL)
            *error = *refusal;
        lib_client_refused(client, lib_answer_message(answer));
        docket_answer_free(answer);
        if (!next)
            return false;
        lib_client_fail_over(client);
    }
}

/* Why nobody can answer there, as far as this host knows; empty: unknown. A socket in the file system that is missing or that we may not use
 * is silent like a broker far away. */
static const char *call_obstacle(const char *endpoint)
{
    static const char scheme[] = "ipc://";
    size_t len = sizeof scheme - 1;

    if (strncmp(endpoint, scheme, len) != 0 || endpoint[len] == '@' ||
        access(endpoint + len, R_OK | W_OK) == 0)
        return "";
    return strerror(errno);
}

bool docket_call(struct docket_client *client, const char *op, struct docket_body *body,
                 struct docket_answer **ret_answer, struct docket_error *error)
{
    struct docket_error own;

    if (docket_outstanding(client) != 0)
        return lib_error_set(error, DOCKET_INVALID,
                             "requests of docket_send are outstanding: receive or forget them first");
    if (call_all(client, op, body, ret_answer, error != NULL ? error : &own))
        return true;
    if (error != NULL && body != NULL && body->has_key && !docket_op_reads(op))
        memcpy(error->key, body->key, sizeof error->key);
    if (error != NULL && error->code == DOCKET_TIMEOUT) {
        const char *obstacle = call_obstacle(docket_client_broker(client));
        (void)snprintf(error->message, sizeof error->message, "no answer within %g s, last asked %s%s%s",
                       lib_client_timeout_ms(client) / 1000.0, docket_client_broker(client),
                       *obstacle != '\0' ? ": " : "", obstacle);
    }
    return false;
}

bool docket_call_json(struct docket_client *client, const char *op, const char *body_json, char **ret_json,
                      struct docket_error *error)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    char *json = NULL;
    bool ok = false;

    if (body != NULL && body_json != NULL && !docket_body_merge_json(body, body_json, error))
        goto out;
    if (!docket_call(client, op, body, &answer, error))
        goto out;
    if (ret_json != NULL) {
        const char *text = docket_answer_json(answer);
        json = text == NULL ? NULL : malloc(strlen(text) + 1);
        if (json == NULL) {
            (void)lib_error_set(error, DOCKET_INTERNAL, "out of memory: it was done, its answer is lost");
            goto out;
        }
        memcpy(json, text, strlen(text) + 1);
        *ret_json = json;
    }
    ok = true;
out:
    docket_answer_free(answer);
    docket_body_free(body);
    return ok;
}

/* ---- posting ---- */

static void ticket_put_text(struct docket_body *body, const char *name, const char *text)
{
    if (text != NULL)
        docket_body_text(body, name, text);
}

static void ticket_put_pairs(struct docket_body *body, const char *name, const struct docket_pair *pairs,
                             size_t count)
{
    if (count == 0)
        return;
    docket_body_open_map(body, name);
    for (size_t i = 0; i < count; i++)
        docket_body_text(body, pairs[i].name, pairs[i].value);
    docket_body_close(body);
}

static void ticket_put(struct docket_body *body, const struct docket_ticket *ticket)
{
    ticket_put_text(body, "key", ticket->key);
    ticket_put_text(body, "customer", ticket->customer);
    ticket_put_text(body, "title", ticket->title);
    ticket_put_text(body, "problem", ticket->problem);
    ticket_put_text(body, "impact", ticket->impact);
    ticket_put_text(body, "channel", ticket->channel);
    ticket_put_text(body, "correlation", ticket->correlation);
    if (ticket->contact_name != NULL || ticket->contact_email != NULL || ticket->contact_xmpp != NULL ||
        ticket->contact_phone != NULL) {
        docket_body_open_map(body, "contact");
        ticket_put_text(body, "name", ticket->contact_name);
        ticket_put_text(body, "email", ticket->contact_email);
        ticket_put_text(body, "xmpp", ticket->contact_xmpp);
        ticket_put_text(body, "phone", ticket->contact_phone);
        docket_body_close(body);
    }
    ticket_put_pairs(body, "equipment", ticket->equipment, ticket->equipment_count);
    ticket_put_pairs(body, "configuration", ticket->configuration, ticket->configuration_count);
    ticket_put_pairs(body, "attributes", ticket->attributes, ticket->attributes_count);
    if (ticket->take)
        docket_body_bool(body, "take", true);
}

bool docket_submit(struct docket_client *client, const struct docket_ticket *ticket,
                   struct docket_submitted *ret, struct docket_error *error)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    struct docket_submitted done = {0};
    size_t len = 0;

    if (body != NULL)
        ticket_put(body, ticket);
    if (!docket_call(client, "ticket.submit", body, &answer, error)) {
        docket_body_free(body);
        return false;
    }
    const char *tracking = docket_answer_text(answer, "tracking", &len);
    (void)snprintf(done.tracking, sizeof done.tracking, "%.*s", (int)(len < sizeof done.tracking ? len : 0),
                   tracking == NULL ? "" : tracking);
    memcpy(done.key, body->key, sizeof done.key);
    done.posted_at = docket_answer_int(answer, "posted_at", 0);
    done.duplicate = docket_answer_bool(answer, "duplicate", false);
    done.merged = docket_answer_bool(answer, "merged", false);
    docket_answer_free(answer);
    docket_body_free(body);
    *ret = done;
    return true;
}
