/* SIGTERM, SIGINT and SIGHUP as something the loop reads. A handler would interrupt zmq_poll, and a zloop that is interrupted
 * ends at once: nothing would be drained. Opened before ZeroMQ's threads start, so that all inherit the mask. */
#ifndef DOCKET_SIGNALS_H
#define DOCKET_SIGNALS_H

#include "err.h"

#include <stdbool.h>

#include <czmq.h>

/* Blocks the three and gives a descriptor that is readable when one came; SIGPIPE is ignored from then on. err: ERR_IO. */
bool signals_open(int *ret_fd, struct err *err) __attribute__((warn_unused_result));

/* The number of the next one that came, 0 when there is none. */
int signals_read(int fd);

/* Runs the loop until a handler ends it; an interrupted poll (a debugger, a stopped process) does not. */
void signals_run(zloop_t *loop);

#endif
