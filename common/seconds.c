/* Lengths of time as people give them; see seconds.h. */
#include "seconds.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool seconds_parse(const char *text, double *ret_s)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"", 1}, {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char *end = NULL;

    errno = 0;
    double number = strtod(text, &end);
    if (end == text || errno != 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].name) == 0) {
            *ret_s = number * units[i].seconds;
            return true;
        }
    return false;
}
