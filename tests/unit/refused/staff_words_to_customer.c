/* Must not compile: what is staff's given to the customer's builder. With -DRIGHT it is given to its own and compiles, so that it is
 * refused for this alone. */
#include "render.h"

void refused(const struct templates *templates, const struct facts *facts, struct message *ret);
void refused(const struct templates *templates, const struct facts *facts, struct message *ret)
{
    const struct staff_words internal = {.alert = {"the customer is a nuisance", 26}};
#ifdef RIGHT
    render_to_staff(templates, facts, &internal, "txt", 0, ret);
#else
    render_to_customer(templates, facts, &internal, "txt", 0, ret);
#endif
}
