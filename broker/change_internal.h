/* What the files of change.h share. */
#ifndef DOCKET_CHANGE_INTERNAL_H
#define DOCKET_CHANGE_INTERNAL_H

enum { CHANGE_BODY_BYTES_MAX = 512 << 10 };

#endif
