/* Lanes; see lanes.h. */
#include "lanes.h"
#include "clock.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

/* What is kept of an address while something is under way to it, or its breaker remembers faults. */
struct target {
    char *address;
    int in_flight;
    struct breaker breaker;
    UT_hash_handle hh;
};

struct lane {
    const struct channel *channel;
    void *room; /* NULL: not configured */
    int in_flight;
    struct breaker breaker;
    struct target *targets;
    struct attempt *attempts;
};

struct lanes {
    struct lane items[CHANNELS];
};

/* One attempt under way. */
struct attempt {
    struct lane *lane;
    struct target *target;
    struct attempt *next, *previous;
    channel_end_fn *end_fn;
    void *arg;
};

static struct target *target_of(struct lane *lane, const char *address)
{
    struct target *target;

    HASH_FIND_STR(lane->targets, address, target);
    if (target == NULL) {
        target = mem_new(1, sizeof *target);
        target->address = mem_strdup(address);
        HASH_ADD_KEYPTR(hh, lane->targets, target->address, strlen(target->address), target);
    }
    return target;
}

static void target_free(struct lane *lane, struct target *target)
{
    HASH_DEL(lane->targets, target);
    free(target->address);
    free(target);
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

static bool target_is_busy(const struct lane *lane, const struct target *target, int64_t now)
{
    int allowed = lane->channel->address_slots;
    if (lane->channel->breaker_per_address)
        allowed = breaker_allows(&target->breaker, now, allowed);
    /* A claim takes a whole share: not while a part of the one before is under way. */
    return target->in_flight > 0 || allowed == 0;
}

void lanes_visit_busy(const struct lanes *lanes, int channel, int64_t now, lanes_visit_fn *visit, void *arg)
{
    const struct lane *lane = &lanes->items[channel];

    for (const struct target *target = lane->targets; target != NULL; target = target->hh.next)
        if (target_is_busy(lane, target, now))
            visit(arg, target->address);
}

static struct breaker *attempt_breaker(const struct attempt *attempt)
{
    return attempt->lane->channel->breaker_per_address ? &attempt->target->breaker : &attempt->lane->breaker;
}

static void on_end(void *arg, const struct outcome *outcome)
{
    struct attempt *attempt = arg;
    struct lane *lane = attempt->lane;
    struct target *target = attempt->target;
    const struct channel *channel = lane->channel;
    channel_end_fn *end_fn = attempt->end_fn;
    void *end_arg = attempt->arg;

    /* One recipient that hangs says nothing of the relay all share. */
    bool silent = outcome->result == SEND_UNKNOWN && !channel->breaker_per_address;
    if (outcome->result == SEND_CONNECTION || (outcome->result == SEND_UNKNOWN && !silent))
        breaker_on_fault(attempt_breaker(attempt), clock_mono_us());
    else if (!silent)
        breaker_on_answer(attempt_breaker(attempt),
                          channel->breaker_per_address ? channel->address_slots : channel->slots);
    lane->in_flight--;
    target->in_flight--;
    attempt_free(attempt);
    if (target->in_flight == 0 && target->breaker.faults == 0 && !target->breaker.open &&
        target->breaker.allowed == 0)
        target_free(lane, target);
    end_fn(end_arg, outcome);
}

void lanes_start(struct lanes *lanes, int channel, const struct outgoing *out, channel_end_fn *end_fn,
                 void *arg)
{
    struct lane *lane = &lanes->items[channel];
    struct attempt *attempt = mem_new(1, sizeof *attempt);

    *attempt = (struct attempt){.lane = lane,
                                .target = target_of(lane, out->address),
                                .next = lane->attempts,
                                .end_fn = end_fn,
                                .arg = arg};
    if (lane->attempts != NULL)
        lane->attempts->previous = attempt;
    lane->attempts = attempt;
    lane->in_flight++;
    attempt->target->in_flight++;
    breaker_on_probe(attempt_breaker(attempt), clock_mono_us());
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
