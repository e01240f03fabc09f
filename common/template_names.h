/* What a template may name: the context of every message (docs/templates.md), and which kinds of messages there are. */
#ifndef DOCKET_TEMPLATE_NAMES_H
#define DOCKET_TEMPLATE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct template_name {
    const char *path; /* dotted; of a list the names of its entries */
    const char *help;
};

extern const struct template_name template_names[];
extern const size_t template_names_count;

/* Whether a path is one of them, or the beginning of one. */
bool template_name_is_known(const char *path);

/* Whether a file of that name is a message of its own; else it is a partial. */
bool template_kind_is_known(const char *kind);

#endif
