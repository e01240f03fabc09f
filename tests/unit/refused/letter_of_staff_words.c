/* Must not compile: a letter to a customer that carries what is staff's. */
#include "channel.h"

struct letter refused(const struct staff_words *internal, const struct customer_words *words);
struct letter refused(const struct staff_words *internal, const struct customer_words *words)
{
#ifdef RIGHT
    return (struct letter){.to_customer = internal == NULL ? words : NULL, .to_staff = internal};
#else
    return (struct letter){.to_customer = words == NULL ? internal : NULL};
#endif
}
