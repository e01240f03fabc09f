/* The workers' endpoint: who is there, in numbers; see workers.h. */
#include "workers_internal.h"

#include <string.h>

static bool session_is_ready(const struct session *session)
{
    return session->greeted && !session->leaving && !session->gone && session->handout.credits > 0;
}

size_t workers_count(const struct workers *workers)
{
    size_t count = 0;
    for (const struct session *session = workers->sessions; session != NULL; session = session->hh.next)
        count += session->greeted ? 1 : 0;
    return count;
}

size_t workers_count_ready(const struct workers *workers)
{
    size_t count = 0;
    for (const struct session *session = workers->sessions; session != NULL; session = session->hh.next)
        count += session_is_ready(session) ? 1 : 0;
    return count;
}

size_t workers_count_hash(const struct workers *workers, const char *hash)
{
    size_t count = 0;
    for (const struct session *session = workers->sessions; session != NULL; session = session->hh.next)
        count += session_is_ready(session) && strcmp(session->process, hash) == 0 ? 1 : 0;
    return count;
}

size_t workers_credits(const struct workers *workers)
{
    size_t credits = 0;
    for (const struct session *session = workers->sessions; session != NULL; session = session->hh.next)
        credits += session_is_ready(session) ? session->handout.credits : 0;
    return credits;
}

void workers_each(const struct workers *workers, void (*fn)(void *arg, const struct workers_view *view),
                  void *arg)
{
    for (const struct session *session = workers->sessions; session != NULL; session = session->hh.next) {
        if (!session->greeted)
            continue;
        struct workers_view view = {
            .name = session->name,
            .version = session->version,
            .zones = session->zones,
            .process = session->process,
            .credits = session->handout.credits,
            .held = session->handout.held,
            .heard_us = session->heard_us,
            .leaving = session->leaving,
        };
        fn(arg, &view);
    }
}
