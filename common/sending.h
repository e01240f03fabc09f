/* Messages of one ZeroMQ socket that are sent together.
 *
 * Sent one by one with work in between, each message wakes ZeroMQ's thread and costs a system call of its own; sent together, one wake and
 * one call carry dozens. Between sending_hold and sending_release messages gather (at most about 256 KiB or 256 frames), else each goes
 * at once. Never waits. */
#ifndef DOCKET_SENDING_H
#define DOCKET_SENDING_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

struct sending;

/* socket: of ZeroMQ (zsock_resolve); it may be replaced while nothing is held. */
struct sending *sending_new(void *socket);
void sending_free(struct sending *sending); /* accepts NULL; what is held is dropped */
void sending_set_socket(struct sending *sending, void *socket);

/* One frame, copied; more: others of the same message follow. */
void sending_frame(struct sending *sending, struct span frame, bool more);

/* fn is called for each message that could not be sent, with its first frame: a ROUTER's names the peer. */
void sending_on_failed(struct sending *sending, void (*fn)(void *arg, struct span first), void *arg);

void sending_hold(struct sending *sending);
void sending_release(struct sending *sending);

/* Messages that could not be sent (the peer is gone or does not read) since the start. errno_of_last: of the last one. */
int64_t sending_failed(const struct sending *sending, int *errno_of_last);

#endif
