/* Small sets of numbered names; see words.h. */
#include "words.h"

#define WORDS(array)                                \
    {                                               \
        (array), sizeof(array) / sizeof((array)[0]) \
    }

static const char *const alert_states[] = {"open", "acknowledged", "resolved"};
const struct words words_alert_states = WORDS(alert_states);

static const char *const alert_steps[] = {"page", "last_resort", "reminder", "over"};
const struct words words_alert_steps = WORDS(alert_steps);

static const char *const message_states[] = {"pending", "leased",    "told", "suppressed",
                                             "merged",  "cancelled", "held"};
const struct words words_message_states = WORDS(message_states);

static const char *const delivery_states[DELIVERY_STATES] = {"pending",   "leased", "sent",       "delivered",
                                                             "failed",    "dead",   "suppressed", "merged",
                                                             "cancelled", "held"};
const struct words words_delivery_states = WORDS(delivery_states);

static const char *const audiences[] = {"unknown", "customer", "staff", "ops"};
const struct words words_audiences = WORDS(audiences);

const char *words_name(const struct words *words, int64_t number)
{
    return number >= 0 && (size_t)number < words->count ? words->names[number] : "unknown";
}

bool words_find(const struct words *words, struct span name, int *ret_number)
{
    for (size_t i = 0; i < words->count; i++)
        if (span_is(name, words->names[i])) {
            *ret_number = (int)i;
            return true;
        }
    return false;
}
