/* The sum of a simulation: by priority, what was promised, met, missed, and by how much; see simulate.h. */
#include "simulate.h"

#include "clock.h"
#include "date.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>

struct sum_clock {
    int64_t promised, met, missed, open;
    int64_t *late; /* µs, one a ticket that missed */
    size_t late_count;
};

struct simulation_sum {
    int64_t tickets[SIMULATE_PRIORITIES + 1];
    struct sum_clock clocks[SIMULATE_PRIORITIES + 1][CLOCK_KINDS];
    int64_t moved[SIMULATE_PRIORITIES + 1][SIMULATE_PRIORITIES + 1]; /* [was][is] */
    int64_t agrees, worse, better; /* with the history's own word on its promise */
    int64_t wake_in;               /* tickets whose rules of `due` did not run */
};

struct simulation_sum *simulation_sum_new(void)
{
    return mem_new(1, sizeof(struct simulation_sum));
}

void simulation_sum_free(struct simulation_sum *sum)
{
    if (sum == NULL)
        return;
    for (size_t p = 0; p <= SIMULATE_PRIORITIES; p++)
        for (size_t k = 0; k < CLOCK_KINDS; k++)
            free(sum->clocks[p][k].late);
    free(sum);
}

static void late_add(struct sum_clock *c, int64_t late_us)
{
    if ((c->late_count & (c->late_count + 1)) == 0)
        c->late = mem_grow(c->late, 2 * (c->late_count + 1), sizeof *c->late);
    c->late[c->late_count++] = late_us;
}

void simulation_sum_add(struct simulation_sum *sum, const struct simulated *one)
{
    bool missed = one->clocks[CLOCK_RESPONSE].missed + one->clocks[CLOCK_RESOLUTION].missed != 0;

    sum->tickets[one->priority]++;
    sum->moved[one->was][one->priority]++;
    sum->wake_in += one->wake_in;
    for (size_t k = 0; k < CLOCK_KINDS; k++) {
        struct sum_clock *c = &sum->clocks[one->priority][k];
        c->promised += one->clocks[k].promised;
        c->met += one->clocks[k].met;
        c->missed += one->clocks[k].missed;
        c->open += one->clocks[k].open;
        if (one->clocks[k].missed != 0)
            late_add(c, one->clocks[k].late_us);
    }
    if (one->says_missed) {
        sum->agrees += missed == one->was_missed;
        sum->worse += missed && !one->was_missed;
        sum->better += !missed && one->was_missed;
    }
}

bool simulation_sum_write(const struct simulation_sum *sum, FILE *to)
{
    bool ok = fwrite(sum, sizeof *sum, 1, to) == 1;

    for (size_t p = 0; p <= SIMULATE_PRIORITIES; p++)
        for (size_t k = 0; k < CLOCK_KINDS; k++) {
            const struct sum_clock *c = &sum->clocks[p][k];
            if (c->late_count != 0) /* else there is no list */
                ok = ok && fwrite(c->late, sizeof *c->late, c->late_count, to) == c->late_count;
        }
    return ok;
}

static bool clock_read(struct sum_clock *c, const struct sum_clock *more, FILE *from)
{
    c->promised += more->promised;
    c->met += more->met;
    c->missed += more->missed;
    c->open += more->open;
    for (size_t i = 0; i < more->late_count; i++) {
        int64_t late_us;
        if (fread(&late_us, sizeof late_us, 1, from) != 1)
            return false;
        late_add(c, late_us);
    }
    return true;
}

bool simulation_sum_read(struct simulation_sum *sum, FILE *from)
{
    struct simulation_sum more;

    if (fread(&more, sizeof more, 1, from) != 1)
        return false;
    for (size_t p = 0; p <= SIMULATE_PRIORITIES; p++) {
        sum->tickets[p] += more.tickets[p];
        for (size_t is = 0; is <= SIMULATE_PRIORITIES; is++)
            sum->moved[p][is] += more.moved[p][is];
        for (size_t k = 0; k < CLOCK_KINDS; k++)
            if (!clock_read(&sum->clocks[p][k], &more.clocks[p][k], from))
                return false;
    }
    sum->agrees += more.agrees;
    sum->worse += more.worse;
    sum->better += more.better;
    sum->wake_in += more.wake_in;
    return true;
}

static int order(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The part-th hundredth of what was late; sorted before. */
static int64_t late_at(const struct sum_clock *c, size_t part)
{
    return c->late_count == 0 ? 0 : c->late[(c->late_count - 1) * part / 100] / US_PER_S;
}

static void sum_sort(struct simulation_sum *sum)
{
    for (size_t p = 0; p <= SIMULATE_PRIORITIES; p++)
        for (size_t k = 0; k < CLOCK_KINDS; k++)
            if (sum->clocks[p][k].late_count != 0)
                qsort(sum->clocks[p][k].late, sum->clocks[p][k].late_count, sizeof(int64_t), order);
}

static void text_span(int64_t seconds, struct buf *out)
{
    char text[40];
    if (seconds >= 48 * 3600)
        (void)snprintf(text, sizeof text, "%lldd %02lldh", (long long)(seconds / DAY_S),
                       (long long)(seconds / 3600 % 24));
    else
        (void)snprintf(text, sizeof text, "%lldh %02lldm", (long long)(seconds / 3600),
                       (long long)(seconds / 60 % 60));
    (void)buf_printf(out, " %9s", text);
}

static void text_moves(const struct simulation_sum *sum, struct buf *out)
{
    bool any = false;
    for (size_t was = 1; was <= SIMULATE_PRIORITIES; was++)
        for (size_t is = 1; is <= SIMULATE_PRIORITIES; is++)
            any = any || sum->moved[was][is] != 0;
    if (!any)
        return;
    (void)buf_add_text(out, "\npriority as it was       1       2       3       4  as it would be\n");
    for (size_t was = 1; was <= SIMULATE_PRIORITIES; was++) {
        (void)buf_printf(out, "%17zu  ", was);
        for (size_t is = 1; is <= SIMULATE_PRIORITIES; is++)
            (void)buf_printf(out, "%8lld", (long long)sum->moved[was][is]);
        (void)buf_add_text(out, "\n");
    }
}

void simulation_sum_text(struct simulation_sum *sum, struct buf *out)
{
    sum_sort(sum);
    (void)buf_add_text(out, "priority  tickets  clock       promised      met   missed     open   late by: "
                            "half   nine of ten       most\n");
    for (size_t p = 1; p <= SIMULATE_PRIORITIES; p++)
        for (size_t k = 0; k < CLOCK_KINDS; k++) {
            const struct sum_clock *c = &sum->clocks[p][k];
            if (sum->tickets[p] == 0 || c->promised == 0)
                continue;
            (void)buf_printf(out, "%8zu %8lld  %-10s %9lld %8lld %8lld %8lld     ", p,
                             (long long)sum->tickets[p], clock_kind_name((enum clock_kind)k),
                             (long long)c->promised, (long long)c->met, (long long)c->missed,
                             (long long)c->open);
            text_span(late_at(c, 50), out);
            (void)buf_add_text(out, "    ");
            text_span(late_at(c, 90), out);
            (void)buf_add_text(out, " ");
            text_span(late_at(c, 100), out);
            (void)buf_add_text(out, "\n");
        }
    text_moves(sum, out);
    if (sum->agrees + sum->worse + sum->better != 0)
        (void)buf_printf(out,
                         "\nof the promise as the history tells it: %lld alike, %lld missed here but not "
                         "there, %lld there "
                         "but not here\n",
                         (long long)sum->agrees, (long long)sum->worse, (long long)sum->better);
    if (sum->wake_in != 0)
        (void)buf_printf(out,
                         "\nnot in it: what rules on: [due] do; %lld tickets were to be looked at again by a "
                         "wake_in\n",
                         (long long)sum->wake_in);
}

static void put_clock(const struct sum_clock *c, struct buf *out)
{
    wire_put_map(out, 7);
    wire_put_key_int(out, "promised", c->promised);
    wire_put_key_int(out, "met", c->met);
    wire_put_key_int(out, "missed", c->missed);
    wire_put_key_int(out, "open", c->open);
    wire_put_key_int(out, "late_p50_s", late_at(c, 50));
    wire_put_key_int(out, "late_p90_s", late_at(c, 90));
    wire_put_key_int(out, "late_max_s", late_at(c, 100));
}

void simulation_sum_put(struct simulation_sum *sum, struct buf *out)
{
    int64_t tickets = 0;

    sum_sort(sum);
    for (size_t p = 1; p <= SIMULATE_PRIORITIES; p++)
        tickets += sum->tickets[p];
    wire_put_map(out, 5);
    wire_put_key_int(out, "tickets", tickets);
    wire_put_key_int(out, "wake_in", sum->wake_in); /* of them, whose rules of `due` did not run */
    wire_put_text(out, "priorities");
    wire_put_list(out, SIMULATE_PRIORITIES);
    for (size_t p = 1; p <= SIMULATE_PRIORITIES; p++) {
        wire_put_map(out, 2 + CLOCK_KINDS);
        wire_put_key_int(out, "priority", (int64_t)p);
        wire_put_key_int(out, "tickets", sum->tickets[p]);
        for (size_t k = 0; k < CLOCK_KINDS; k++) {
            wire_put_text(out, clock_kind_name((enum clock_kind)k));
            put_clock(&sum->clocks[p][k], out);
        }
    }
    wire_put_text(out, "moved"); /* rows: as it was, 0 when not told; columns: as it would be */
    wire_put_list(out, SIMULATE_PRIORITIES + 1);
    for (size_t was = 0; was <= SIMULATE_PRIORITIES; was++) {
        wire_put_list(out, SIMULATE_PRIORITIES);
        for (size_t is = 1; is <= SIMULATE_PRIORITIES; is++)
            wire_put_int(out, sum->moved[was][is]);
    }
    wire_put_text(out, "compared");
    wire_put_map(out, 3);
    wire_put_key_int(out, "alike", sum->agrees);
    wire_put_key_int(out, "missed_here_only", sum->worse);
    wire_put_key_int(out, "missed_there_only", sum->better);
}
