/* What a template may name: the context of every message (docs/templates.md) and of every
 * page, and which kinds of them there are. */
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

/* Whether a file of that name is a message of its own; else it is a page or a partial. */
bool template_kind_is_known(const char *kind);

/* Whether a message of that kind goes to staff or ops alone. */
bool template_kind_is_for_staff(const char *kind);

/* The kind that is meant by a word that is nearly one; NULL: none, or the word is one. */
const char *template_kind_near(const char *kind);

/* The pages of signed links (docs/channels.md): their names are others than a message's. */
bool template_page_is_known(const char *page);
bool template_page_name_is_known(const char *path);

#endif
