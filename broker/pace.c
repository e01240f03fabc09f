/* The pace of computing again; see pace.h. */
#include "pace.h"
#include "clock.h"

/* Nobody wrote for this long: alone. */
#define ALONE_AFTER_US US_PER_S
/* What is wanted is judged by windows of so much clear time. */
#define WINDOW_US (INT64_C(50) * US_PER_MS)
#define WAIT_LEAST_US US_PER_MS
#define WAIT_MOST_US (INT64_C(100) * US_PER_MS)

/* Above this part of the time the desk counts as full. */
static const double wanted_full = 0.5;
/* What time pays at least, of the rate of the step: also beside a full desk that writes through other brokers. */
static const double idle_least = 0.1;
/* Looking at a row costs this part of computing a ticket again. */
static const double look_cost = 1.0 / 32;

void pace_init(struct pace *pace, int64_t now_us)
{
    *pace = (struct pace){.clear_us = now_us};
}

static bool pace_has_desk(const struct pace *pace, int64_t now_us)
{
    return pace->desk_seen_us != 0 && now_us - pace->desk_seen_us <= ALONE_AFTER_US;
}

double pace_wanted(const struct pace *pace, int64_t now_us)
{
    return pace_has_desk(pace, now_us) ? pace->wanted : 0;
}

static bool pace_is_alone(const struct pace *pace, int64_t now_us)
{
    return !pace_has_desk(pace, now_us) &&
           (pace->others_busy_us == 0 || now_us - pace->others_busy_us > 2 * ALONE_AFTER_US);
}

/* What clear time pays, of the rate of the last step. */
static double pace_idle_share(const struct pace *pace)
{
    double wanted = pace->wanted > pace->others_wanted ? pace->wanted : pace->others_wanted;
    double share = PACE_IDLE_SHARE * (1 - wanted / wanted_full);
    return share < idle_least ? idle_least : share;
}

/* More that is wanted is believed at once, less only bit by bit. */
static void pace_judge(struct pace *pace)
{
    double sample = (double)pace->window_busy_us / (double)pace->window_us;

    if (sample > 1)
        sample = 1;
    pace->wanted = sample > pace->wanted ? sample : (3 * pace->wanted + sample) / 4;
    pace->window_us = pace->window_busy_us = 0;
}

/* Accounts the clear time up to now. */
static void pace_pass(struct pace *pace, int64_t now_us)
{
    int64_t passed = now_us - pace->clear_us;

    if (pace->running || passed <= 0)
        return;
    pace->clear_us = now_us;
    pace->window_us += passed;
    if (pace->window_us >= WINDOW_US)
        pace_judge(pace);
    pace->debt -= (double)passed * pace->per_us * pace_idle_share(pace);
    if (pace->debt < 0)
        pace->debt = 0;
}

void pace_committed(struct pace *pace, int64_t now_us, size_t desk_units, int64_t took_us)
{
    if (desk_units == 0)
        return;
    pace->desk_seen_us = now_us;
    if (pace->running) {
        pace->debt -= (double)desk_units / PACE_DESK_UNITS; /* ahead of the debt that the step leaves */
        return;
    }
    int64_t since = now_us - pace->clear_us + pace->window_us;
    pace->window_busy_us += took_us < since ? took_us : since;
    pace_pass(pace, now_us);
    pace->debt -= (double)desk_units / PACE_DESK_UNITS;
    if (pace->debt < 0)
        pace->debt = 0;
}

void pace_others(struct pace *pace, int64_t now_us, double wanted)
{
    pace->others_wanted = wanted;
    if (wanted > 0)
        pace->others_busy_us = now_us;
}

void pace_took(struct pace *pace, int64_t began_us, size_t woken, size_t looked)
{
    if (!pace->running) {
        pace_pass(pace, began_us);
        pace->running = true;
        pace->step_us = began_us;
        pace->step_count = 0;
        pace->debt = 0;
    }
    pace->step_count += woken;
    pace->debt += (double)woken + (double)looked * look_cost;
}

/* The step is decided but for a few, which may hang with a worker. */
static void pace_end(struct pace *pace, int64_t now_us)
{
    int64_t took = now_us - pace->step_us;

    if (pace->step_count != 0 && took > 0)
        pace->per_us = (double)pace->step_count / (double)took;
    pace->running = false;
    pace->clear_us = now_us;
    if (pace->debt > PACE_STEP) /* steps that were taken alone: nobody was there to owe it to */
        pace->debt = PACE_STEP;
    if (pace->debt < 0)
        pace->debt = 0;
}

size_t pace_next(struct pace *pace, int64_t now_us, size_t under_way, int64_t *ret_wait_us)
{
    *ret_wait_us = -1;
    if (pace_is_alone(pace, now_us)) {
        if (pace->running && under_way == 0)
            pace_end(pace, now_us);
        pace_pass(pace, now_us);
        return under_way <= PACE_STEP_ALONE ? PACE_STEP_ALONE : 0;
    }
    if (pace->running && under_way > PACE_STEP / 8)
        return 0;
    if (pace->running)
        pace_end(pace, now_us);
    pace_pass(pace, now_us);
    if (pace->debt <= 0)
        return PACE_STEP;
    double wait =
        pace->per_us <= 0 ? (double)WAIT_MOST_US : pace->debt / (pace->per_us * pace_idle_share(pace));
    *ret_wait_us = wait > (double)WAIT_MOST_US    ? WAIT_MOST_US
                   : wait < (double)WAIT_LEAST_US ? WAIT_LEAST_US
                                                  : (int64_t)wait;
    return 0;
}
