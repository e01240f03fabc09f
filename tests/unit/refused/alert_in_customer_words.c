/* Must not compile: words for customers have no place for an alert, its code, or how many others it stands for. */
#include "render.h"

struct customer_words refused(void);
struct customer_words refused(void)
{
#ifdef RIGHT
    return (struct customer_words){.body = {"", 0}};
#else
    return (struct customer_words){.alert = {"P1 missed", 9}};
#endif
}
