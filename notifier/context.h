/* The frozen snapshot a template reads (common/template_names.h): the facts of one message as a MessagePack map, in the words
 * and the zone of who reads it. Pure. */
#ifndef DOCKET_CONTEXT_H
#define DOCKET_CONTEXT_H

#include "render.h"

/* Appends the map. */
void context_put(struct buf *out, const struct templates *templates, const char *locale,
                 const struct facts *facts);

#endif
