/* What the notifier finds by itself; see found.h. */
#include "found.h"

void found_put(struct pg_params *params, const struct found *items, size_t count, const char *like,
               int priority)
{
    pg_params_reset(params);
    for (int column = 0; column < 2; column++) {
        pg_array_open(params, PG_TEXT);
        for (size_t i = 0; i < count; i++)
            pg_array_bytes(params, span_of(column == 0 ? items[i].cause : items[i].text));
        pg_array_close(params);
    }
    pg_put_text(params, like);
    pg_put_int2(params, (int16_t)priority);
}
