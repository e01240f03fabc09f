/* Whose reading is next; see fair.h. */
#include "fair.h"

#include <stdint.h>

/* FNV-1a, 32 bits (RFC draft-eastlake-fnv). */
static struct fair_lane *fair_lane_of(struct fair *fair, struct span peer)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < peer.len; i++)
        hash = (hash ^ (unsigned char)peer.p[i]) * UINT32_C(16777619);
    return &fair->lanes[(hash ^ hash >> 16) % FAIR_LANES];
}

static void fair_to_the_end(struct fair *fair, struct fair_lane *lane)
{
    lane->next = NULL;
    *fair->tail = lane;
    fair->tail = &lane->next;
}

void fair_init(struct fair *fair, size_t at_once)
{
    *fair = (struct fair){.at_once = at_once};
    fair->tail = &fair->head;
}

void fair_wait(struct fair *fair, struct fair_turn *turn, struct span peer)
{
    struct fair_lane *lane = fair_lane_of(fair, peer);

    turn->next = NULL;
    if (lane->first == NULL) {
        lane->end = &lane->first;
        fair_to_the_end(fair, lane);
    }
    *lane->end = turn;
    lane->end = &turn->next;
}

struct fair_turn *fair_next(struct fair *fair)
{
    struct fair_lane *lane = fair->head;

    if (lane == NULL || fair->under_way >= fair->at_once)
        return NULL;
    struct fair_turn *turn = lane->first;
    fair->head = lane->next;
    if (fair->head == NULL)
        fair->tail = &fair->head;
    lane->first = turn->next;
    if (lane->first != NULL)
        fair_to_the_end(fair, lane);
    fair->under_way++;
    return turn;
}

void fair_over(struct fair *fair)
{
    fair->under_way--;
}

void fair_forget(struct fair *fair)
{
    size_t under_way = fair->under_way;

    fair_init(fair, fair->at_once);
    fair->under_way = under_way;
}
