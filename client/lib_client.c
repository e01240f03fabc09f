/* The client: what is outstanding, on which broker, and when to move on.
 *
 * Every request is kept encoded until it is answered or forgotten, so that it can be repeated, unchanged and
 * in order, at the next broker. Knows nothing of what ops mean. */
#include "lib_internal.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { SLOTS_FIRST = 64, BACKOFF_FIRST_MS = 50, BACKOFF_LAST_MS = 2000 };

/* A request that waits for its answer; its slot is id modulo the number of slots. */
struct slot {
    uint64_t id; /* 0: free */
    uint64_t tag;
    struct buf frame; /* kept for reuse when free */
};

struct docket_client {
    void *ctx;
    struct lib_link link;
    uint64_t links;  /* opened so far: names the monitors */
    char *endpoints; /* one block; brokers point into it */
    const char *brokers[DOCKET_BROKERS_MAX];
    size_t broker_count, broker;
    const volatile sig_atomic_t *interrupt;
    int timeout_ms, try_ms;
    char *refusal; /* NULL: none */
    struct slot *slots;
    size_t slot_count; /* a power of two */
    size_t outstanding;
    uint64_t oldest, next; /* ids: none outstanding is below oldest; next is the one to give */
    int64_t heard_us;      /* when this broker spoke, or was first asked: its silence counts from here */
    int64_t reopen_us;     /* not before this */
    unsigned failed;       /* brokers left since one spoke */
    uint64_t failovers;
};

/* ---- making one ---- */

/* "a, b" into the list. */
static bool client_set_brokers(struct docket_client *client, const char *brokers, struct docket_error *error)
{
    if (brokers == NULL || *brokers == '\0')
        brokers = DOCKET_BROKER_DEFAULT;
    size_t len = strlen(brokers);
    client->endpoints = malloc(len + 1);
    if (client->endpoints == NULL)
        return lib_error_set(error, DOCKET_INTERNAL, "out of memory");
    memcpy(client->endpoints, brokers, len + 1);
    for (char *p = client->endpoints; *p != '\0';) {
        size_t skip = strspn(p, ", \t");
        p += skip;
        size_t n = strcspn(p, ", \t");
        if (n == 0)
            break;
        if (client->broker_count == DOCKET_BROKERS_MAX)
            return lib_error_set(error, DOCKET_INVALID, "more than %d brokers", DOCKET_BROKERS_MAX);
        client->brokers[client->broker_count++] = p;
        p += n;
        if (*p != '\0')
            *p++ = '\0';
    }
    return client->broker_count != 0 ? true
                                     : lib_error_set(error, DOCKET_INVALID, "no broker in '%s'", brokers);
}

static bool client_connect(struct docket_client *client, struct docket_error *error)
{
    struct err err = {0};

    if (!lib_link_open(client->ctx, client->brokers[client->broker], ++client->links, &client->link, &err))
        return lib_error_from(error, &err);
    return true;
}

/* Each endpoint must be one that ZeroMQ takes: a typing error shall be told now, not as a time-out. */
static bool client_check_brokers(struct docket_client *client, struct docket_error *error)
{
    for (client->broker = client->broker_count; client->broker-- > 0;) {
        if (!client_connect(client, error))
            return false;
        if (client->broker != 0)
            lib_link_close(&client->link);
        else
            break;
    }
    return true;
}

bool docket_client_new(const char *brokers, struct docket_client **ret_client, struct docket_error *error)
{
    struct docket_client *client = calloc(1, sizeof *client);

    if (client == NULL)
        return lib_error_set(error, DOCKET_INTERNAL, "out of memory");
    client->timeout_ms = DOCKET_TIMEOUT_MS_DEFAULT;
    client->oldest = client->next = 1;
    client->slot_count = SLOTS_FIRST;
    client->slots = calloc(SLOTS_FIRST, sizeof *client->slots);
    client->ctx = sodium_init() < 0 ? NULL : zmq_ctx_new();
    if (client->slots == NULL || client->ctx == NULL) {
        docket_client_free(client);
        return lib_error_set(error, DOCKET_INTERNAL, "out of memory, or no ZeroMQ context");
    }
    for (size_t i = 0; i < client->slot_count; i++)
        buf_init(&client->slots[i].frame, DOCKET_BODY_BYTES_MAX + 1024);
    if (!client_set_brokers(client, brokers, error) || !client_check_brokers(client, error)) {
        docket_client_free(client);
        return false;
    }
    *ret_client = client;
    return true;
}

void docket_client_free(struct docket_client *client)
{
    if (client == NULL)
        return;
    lib_link_close(&client->link);
    if (client->ctx != NULL)
        (void)zmq_ctx_term(client->ctx);
    for (size_t i = 0; client->slots != NULL && i < client->slot_count; i++)
        buf_clear(&client->slots[i].frame);
    free(client->slots);
    free(client->endpoints);
    free(client->refusal);
    free(client);
}

void lib_client_refused(struct docket_client *client, struct span message)
{
    free(client->refusal);
    client->refusal = message.len == 0 ? NULL : malloc(message.len + 1);
    if (client->refusal == NULL)
        return;
    memcpy(client->refusal, message.p, message.len);
    client->refusal[message.len] = '\0';
}

const char *docket_client_refusal(const struct docket_client *client)
{
    return client->refusal == NULL ? "" : client->refusal;
}

void docket_client_set_timeout_ms(struct docket_client *client, int timeout_ms)
{
    client->timeout_ms = timeout_ms < 1 ? 1 : timeout_ms;
}

void docket_client_set_try_ms(struct docket_client *client, int try_ms)
{
    client->try_ms = try_ms < 0 ? 0 : try_ms;
}

void docket_client_set_interrupt(struct docket_client *client, const volatile sig_atomic_t *flag)
{
    client->interrupt = flag;
}

const char *docket_client_broker(const struct docket_client *client)
{
    return client->brokers[client->broker];
}

uint64_t docket_client_failovers(const struct docket_client *client)
{
    return client->failovers;
}

int lib_client_timeout_ms(const struct docket_client *client)
{
    return client->timeout_ms;
}

size_t lib_client_brokers(const struct docket_client *client)
{
    return client->broker_count;
}

size_t docket_outstanding(const struct docket_client *client)
{
    return client->outstanding;
}

/* ---- what is outstanding ---- */

static struct slot *client_slot(const struct docket_client *client, uint64_t id)
{
    return &client->slots[id & (client->slot_count - 1)];
}

/* Twice the slots, each request at its new place. */
static bool client_grow_slots(struct docket_client *client)
{
    size_t count = client->slot_count * 2;
    struct slot *slots = calloc(count, sizeof *slots);

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        buf_init(&slots[i].frame, DOCKET_BODY_BYTES_MAX + 1024);
    for (size_t i = 0; i < client->slot_count; i++) {
        struct slot *old = &client->slots[i];
        if (old->id != 0)
            slots[old->id & (count - 1)] = *old;
        else
            buf_clear(&old->frame);
    }
    free(client->slots);
    client->slots = slots;
    client->slot_count = count;
    return true;
}

static void client_release(struct docket_client *client, struct slot *slot)
{
    slot->id = 0;
    client->outstanding--;
    while (client->oldest < client->next && client_slot(client, client->oldest)->id != client->oldest)
        client->oldest++;
}

void docket_forget(struct docket_client *client, uint64_t id)
{
    for (uint64_t i = id == 0 ? client->oldest : id; i < (id == 0 ? client->next : id + 1); i++)
        if (client_slot(client, i)->id == i && i != 0)
            client_release(client, client_slot(client, i));
}

/* ---- moving on ---- */

int64_t lib_backoff_us(unsigned round, uint32_t dice)
{
    int64_t most_ms = BACKOFF_FIRST_MS;

    for (unsigned i = 1; i < round && most_ms < BACKOFF_LAST_MS; i++)
        most_ms *= 2;
    if (most_ms > BACKOFF_LAST_MS)
        most_ms = BACKOFF_LAST_MS;
    int64_t half_us = most_ms * US_PER_MS / 2;
    return half_us + (int64_t)(dice % (uint32_t)(half_us + 1));
}

void lib_client_fail_over(struct docket_client *client)
{
    lib_link_close(&client->link);
    client->broker = (client->broker + 1) % client->broker_count;
    client->failovers++;
    client->failed++;
    client->reopen_us = clock_mono_us();
    if (client->failed % client->broker_count == 0)
        client->reopen_us +=
            lib_backoff_us(client->failed / (unsigned)client->broker_count, randombytes_random());
}

/* Connects and repeats all that is outstanding, in order. */
static bool client_reopen(struct docket_client *client, struct docket_error *error)
{
    if (!client_connect(client, error))
        return false;
    client->heard_us = clock_mono_us();
    for (uint64_t id = client->oldest; id < client->next; id++) {
        const struct slot *slot = client_slot(client, id);
        if (slot->id == id && !lib_link_send(&client->link, buf_span(&slot->frame))) {
            lib_client_fail_over(client);
            break;
        }
    }
    return true;
}

static int64_t client_try_us(const struct docket_client *client)
{
    int64_t ms = client->try_ms != 0 ? client->try_ms : client->timeout_ms / (int64_t)client->broker_count;
    return (ms < 1 ? 1 : ms) * US_PER_MS;
}

/* ---- sending ---- */

bool lib_client_send(struct docket_client *client, const char *op, struct span body, uint64_t tag,
                     uint64_t *ret_id, struct docket_error *error)
{
    while (client_slot(client, client->next)->id != 0) {
        if (client->slot_count > DOCKET_OUTSTANDING_MAX)
            return lib_error_set(error, DOCKET_BUSY, "%d requests wait for their answers",
                                 DOCKET_OUTSTANDING_MAX);
        if (!client_grow_slots(client))
            return lib_error_set(error, DOCKET_INTERNAL, "out of memory");
    }
    struct slot *slot = client_slot(client, client->next);
    buf_reset(&slot->frame);
    wire_put_map(&slot->frame, 4);
    wire_put_key_int(&slot->frame, "dkt", 1);
    wire_put_key_int(&slot->frame, "id", (int64_t)client->next);
    wire_put_key_text(&slot->frame, "op", op);
    wire_put_text(&slot->frame, "body");
    wire_put_raw(&slot->frame, body);
    if (slot->frame.failed)
        return lib_error_set(error, DOCKET_TOO_LARGE, "the request is too large, or memory is out");
    if (client->outstanding == 0) {
        client->heard_us = clock_mono_us();
        client->oldest = client->next;
    }
    slot->id = client->next++;
    slot->tag = tag;
    client->outstanding++;
    if (ret_id != NULL)
        *ret_id = slot->id;
    /* Without a connection it goes out with all the others when there is one. */
    if (client->link.socket != NULL && !lib_link_send(&client->link, buf_span(&slot->frame)))
        lib_client_fail_over(client);
    return true;
}

/* ---- receiving ---- */

/* Whether the message answers one of ours. A refusal without an id (the broker could not read it) belongs to
 * the only request there is. */
static bool client_match(struct docket_client *client, zmq_msg_t *msg, struct lib_answer *ret)
{
    struct err err = {0};
    int64_t id = 0;

    if (!wire_parse(zmq_msg_data(msg), zmq_msg_size(msg), WIRE_DEPTH_MAX, &ret->doc, &err))
        return false;
    const struct wire_val *root = wire_root(ret->doc);
    ret->ok = wire_find_bool(root, "ok", false);
    ret->body = wire_find(root, "body");
    const struct wire_val *id_val = wire_find(root, "id");
    if (wire_type(id_val) == WIRE_NIL && !ret->ok && client->outstanding == 1)
        id = (int64_t)client->oldest;
    else
        (void)wire_get_int(id_val, &id);
    struct slot *slot = client_slot(client, (uint64_t)id);
    if (id <= 0 || slot->id != (uint64_t)id) {
        lib_answer_clear(ret);
        return false;
    }
    ret->id = slot->id;
    ret->tag = slot->tag;
    client_release(client, slot);
    return true;
}

static long client_wait_ms(int64_t until_us, int64_t now_us)
{
    int64_t ms = (until_us - now_us + US_PER_MS - 1) / US_PER_MS;
    return (long)(ms < 0 ? 0 : ms > LIB_SLICE_MS ? LIB_SLICE_MS : ms);
}

/* One turn: waits at most until until_us, or a slice. True: ret holds an answer. */
static bool client_turn(struct docket_client *client, int64_t now_us, int64_t until_us,
                        struct lib_answer *ret, bool *ret_interrupted, struct docket_error *error)
{
    zmq_msg_t msg;
    bool got = false;

    if (client->link.socket == NULL) {
        if (now_us >= client->reopen_us)
            (void)client_reopen(client,
                                error); /* fails only when memory or sockets are out: tried again next turn */
        else if (zmq_poll(NULL, 0,
                          client_wait_ms(until_us < client->reopen_us ? until_us : client->reopen_us,
                                         now_us)) < 0)
            *ret_interrupted = true;
        if (client->link.socket == NULL)
            return false;
    }
    int64_t silent_us = client->heard_us + client_try_us(client);
    bool waits = client->outstanding != 0;
    (void)zmq_msg_init(&msg);
    switch (lib_link_wait(&client->link,
                          client_wait_ms(waits && silent_us < until_us ? silent_us : until_us, now_us),
                          &msg)) {
    case LIB_LINK_FRAME:
        client->heard_us = now_us;
        client->failed = 0;
        got = client_match(client, &msg, ret);
        break;
    case LIB_LINK_BROKEN:
        lib_client_fail_over(client);
        break;
    case LIB_LINK_INTERRUPTED:
        *ret_interrupted = true;
        break;
    case LIB_LINK_QUIET:
        if (waits && clock_mono_us() >= silent_us)
            lib_client_fail_over(client);
        break;
    }
    (void)zmq_msg_close(&msg);
    return got;
}

bool lib_client_receive(struct docket_client *client, int wait_ms, struct lib_answer *ret,
                        struct docket_error *error)
{
    int64_t now_us = clock_mono_us();
    int64_t until_us = now_us + (int64_t)wait_ms * US_PER_MS;
    bool interrupted = false;

    lib_answer_clear(ret);
    for (;;) {
        if (client_turn(client, now_us, until_us, ret, &interrupted, error))
            return true;
        if (interrupted || (client->interrupt != NULL && *client->interrupt != 0))
            return lib_error_set(error, DOCKET_INTERRUPTED, "interrupted");
        now_us = clock_mono_us();
        if (now_us >= until_us)
            return lib_error_set(error, DOCKET_TIMEOUT, "no answer within %d ms", wait_ms);
    }
}
