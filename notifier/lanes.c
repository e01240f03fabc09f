/* Lanes; see lanes.h. */
#include "lanes.h"
#include "clock.h"
#include "mem.h"
#include "relay_rate.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

/* What is kept of an address, and of its host, while something is under way to it or its breaker remembers faults. An address without a
 * host is its own. */
struct target {
    char *name;
    int in_flight;
    struct breaker breaker;
    UT_hash_handle hh;
};

struct lane {
    const struct channel *channel;
    void *room; /* NULL: not configured */
    int in_flight;
    struct breaker breaker;
    struct relay_rate rate;
    int sharers; /* of the relay; 0: not known yet, so one */
    struct target *targets;
    struct attempt *attempts;
};

struct lanes {
    const struct settings_notifier *settings;
    struct lane items[CHANNELS];
};

/* One attempt under way. */
struct attempt {
    struct lane *lane;
    struct target *target, *host; /* one and the same where the address has no host */
    struct attempt *next, *previous;
    channel_end_fn *end_fn;
    void *arg;
};

static struct target *target_of(struct lane *lane, const char *name)
{
    struct target *target;

    HASH_FIND_STR(lane->targets, name, target);
    if (target == NULL) {
        target = mem_new(1, sizeof *target);
        target->name = mem_strdup(name);
        HASH_ADD_KEYPTR(hh, lane->targets, target->name, strlen(target->name), target);
    }
    return target;
}

static struct target *host_of(struct lane *lane, const char *address)
{
    char name[CHANNEL_ADDRESS_BYTES];

    if (lane->channel->host_of == NULL)
        return target_of(lane, address);
    lane->channel->host_of(address, name);
    return target_of(lane, name);
}

static void target_free(struct lane *lane, struct target *target)
{
    HASH_DEL(lane->targets, target);
    free(target->name);
    free(target);
}

/* What nothing is under way to and no fault is remembered of is forgotten. */
static void target_leave(struct lane *lane, struct target *target)
{
    target->in_flight--;
    if (target->in_flight == 0 && target->breaker.faults == 0 && !target->breaker.open &&
        target->breaker.allowed == 0)
        target_free(lane, target);
}

static void attempt_free(struct attempt *attempt)
{
    if (attempt->previous != NULL)
        attempt->previous->next = attempt->next;
    else
        attempt->lane->attempts = attempt->next;
    if (attempt->next != NULL)
        attempt->next->previous = attempt->previous;
    free(attempt);
}

bool lanes_new(const struct channel_host *host, struct lanes **ret_lanes, struct err *err)
{
    struct lanes *lanes = mem_new(1, sizeof *lanes);

    lanes->settings = host->settings;
    for (int i = 0; i < CHANNELS; i++) {
        lanes->items[i].channel = channel_table[i];
        if (!channel_table[i]->open(host, &lanes->items[i].room, err)) {
            lanes_free(lanes);
            return err_prefix(err, "%s: ", channel_rows[i].name);
        }
    }
    *ret_lanes = lanes;
    return true;
}

void lanes_free(struct lanes *lanes)
{
    if (lanes == NULL)
        return;
    for (int i = 0; i < CHANNELS; i++) {
        struct lane *lane = &lanes->items[i];
        struct target *target, *next;
        if (lane->room != NULL)
            lane->channel->close(lane->room);
        while (lane->attempts != NULL)
            attempt_free(lane->attempts);
        HASH_ITER(hh, lane->targets, target, next)
        target_free(lane, target);
    }
    free(lanes);
}

bool lanes_is_open(const struct lanes *lanes, int channel)
{
    return lanes->items[channel].room != NULL;
}

void *lanes_room_of(const struct lanes *lanes, int channel)
{
    return lanes->items[channel].room;
}

int lanes_in_flight(const struct lanes *lanes)
{
    int count = 0;
    for (int i = 0; i < CHANNELS; i++)
        count += lanes->items[i].in_flight;
    return count;
}

int lanes_free_slots(const struct lanes *lanes, int channel, int64_t now)
{
    const struct lane *lane = &lanes->items[channel];
    int allowed = lane->channel->slots;

    if (lane->room == NULL)
        return 0;
    if (!lane->channel->breaker_per_address)
        allowed = breaker_allows(&lane->breaker, now, allowed);
    return allowed > lane->in_flight ? allowed - lane->in_flight : 0;
}

static struct channel_relay relay_of(const struct lanes *lanes, int channel)
{
    struct channel_relay relay = {NULL, 0};

    if (lanes->items[channel].channel->relay != NULL)
        lanes->items[channel].channel->relay(lanes->settings, &relay);
    return relay;
}

/* A reload may have changed it. */
static struct relay_rate *rate_of(struct lanes *lanes, int channel)
{
    struct lane *lane = &lanes->items[channel];

    relay_rate_set(&lane->rate, relay_of(lanes, channel).per_second, lane->sharers);
    return &lane->rate;
}

int lanes_relay_allows(struct lanes *lanes, int channel, int64_t now, int max)
{
    return relay_rate_allows(rate_of(lanes, channel), now, max);
}

int64_t lanes_relay_wait_us(struct lanes *lanes, int channel, int64_t now)
{
    return relay_rate_wait_us(rate_of(lanes, channel), now);
}

const char *lanes_relay_shared(const struct lanes *lanes, int channel)
{
    struct channel_relay relay = relay_of(lanes, channel);
    return relay.per_second == 0 ? NULL : relay.name;
}

void lanes_relay_sharers(struct lanes *lanes, int channel, int count)
{
    lanes->items[channel].sharers = count;
}

static int target_free_slots(const struct lane *lane, const struct target *target, int64_t now)
{
    int allowed = lane->channel->address_slots;
    if (lane->channel->breaker_per_address)
        allowed = breaker_allows(&target->breaker, now, allowed);
    return allowed > target->in_flight ? allowed - target->in_flight : 0;
}

void lanes_visit_limited(const struct lanes *lanes, int channel, int64_t now, lanes_visit_fn *visit,
                         void *arg)
{
    const struct lane *lane = &lanes->items[channel];

    for (const struct target *target = lane->targets; target != NULL; target = target->hh.next) {
        int free_slots = target_free_slots(lane, target, now);
        if (free_slots < lane->channel->address_slots)
            visit(arg, target->name, free_slots);
    }
}

/* Whose fault it was: a host that cannot be connected fails for all its addresses; one that took the message and never answered may do so
 * for this address alone. One recipient that hangs says nothing of the relay all share. */
static void judge(const struct attempt *attempt, const struct outcome *outcome)
{
    struct lane *lane = attempt->lane;
    const struct channel *channel = lane->channel;
    bool is_own = channel->breaker_per_address;
    int slots = is_own ? channel->address_slots : channel->slots;
    struct breaker *shared = is_own ? &attempt->host->breaker : &lane->breaker;

    if (outcome->result == SEND_CONNECTION) {
        breaker_on_fault(shared, clock_mono_us());
    } else if (outcome->result != SEND_UNKNOWN) {
        breaker_on_answer(shared, slots);
        if (is_own && attempt->target != attempt->host)
            breaker_on_answer(&attempt->target->breaker, slots);
    } else if (is_own) {
        breaker_on_fault(&attempt->target->breaker, clock_mono_us());
    }
}

static void on_end(void *arg, const struct outcome *outcome)
{
    struct attempt *attempt = arg;
    struct lane *lane = attempt->lane;
    struct target *target = attempt->target, *host = attempt->host;
    channel_end_fn *end_fn = attempt->end_fn;
    void *end_arg = attempt->arg;

    judge(attempt, outcome);
    lane->in_flight--;
    attempt_free(attempt);
    if (host != target)
        target_leave(lane, host);
    target_leave(lane, target);
    end_fn(end_arg, outcome);
}

void lanes_start(struct lanes *lanes, int channel, const struct outgoing *out, channel_end_fn *end_fn,
                 void *arg)
{
    struct lane *lane = &lanes->items[channel];
    struct attempt *attempt = mem_new(1, sizeof *attempt);
    int64_t now = clock_mono_us();

    *attempt = (struct attempt){.lane = lane,
                                .target = target_of(lane, out->address),
                                .host = host_of(lane, out->address),
                                .next = lane->attempts,
                                .end_fn = end_fn,
                                .arg = arg};
    if (lane->attempts != NULL)
        lane->attempts->previous = attempt;
    lane->attempts = attempt;
    lane->in_flight++;
    attempt->target->in_flight++;
    if (attempt->host != attempt->target)
        attempt->host->in_flight++;
    relay_rate_take(rate_of(lanes, channel), now);
    breaker_on_probe(&lane->breaker, now);
    breaker_on_probe(&attempt->target->breaker, now);
    breaker_on_probe(&attempt->host->breaker, now);
    lane->channel->start(lane->room, out, on_end, attempt);
}

int lanes_broken(const struct lanes *lanes, int channel)
{
    const struct lane *lane = &lanes->items[channel];
    int broken = lane->breaker.open;
    for (const struct target *target = lane->targets; target != NULL; target = target->hh.next)
        broken += target->breaker.open;
    return broken;
}
