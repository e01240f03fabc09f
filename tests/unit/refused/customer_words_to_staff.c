/* Must not compile: the other way. */
#include "render.h"

void refused(const struct templates *templates, const struct facts *facts, struct message *ret);
void refused(const struct templates *templates, const struct facts *facts, struct message *ret)
{
    const struct customer_words words = {.body = {"", 0}};
#ifdef RIGHT
    render_to_customer(templates, facts, &words, "txt", 0, ret);
#else
    render_to_staff(templates, facts, &words, "txt", 0, ret);
#endif
}
