/* What the files of change.h share. */
#ifndef DOCKET_CHANGE_INTERNAL_H
#define DOCKET_CHANGE_INTERNAL_H

#include "buf.h"
#include "request.h"

enum { CHANGE_BODY_BYTES_MAX = 512 << 10 };

/* Those of the fields that the request has, as the map that an event keeps; owned by the caller, empty when too large. */
struct span change_event_body(const struct request *req, const enum field *kept, size_t count);

#endif
