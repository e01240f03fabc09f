/* Looks, one at a time; see look.h. */
#include "look.h"

bool look_begins(struct look *look, int64_t now_us, int64_t every_us)
{
    if (look->under_way || now_us - look->begun_us < every_us)
        return false;
    *look = (struct look){now_us, true};
    return true;
}

void look_on_end(void *arg, const struct pg_end *end)
{
    struct look *look = arg;
    (void)end;
    look->under_way = false;
}
