/* Putting wakes back into the table: given away, to be tried again later, given up, or kept with a desk row of their own. */
#ifndef DOCKET_PUT_BACK_H
#define DOCKET_PUT_BACK_H

#include "writer.h"

struct broker;
struct wake;

/* Each puts the wake into WAKE_COMMITTING at once; its row is written with the next batch.
 *
 * Nobody owns it any more: what does not fit into memory, a broker without workers, one that ends. */
void put_back_give(struct broker *broker, struct wake *wake);

/* A fresh ticket that stays undecided gets its desk row and stays ours, so that the mark can move on. */
void put_back_keep(struct broker *broker, struct wake *wake);

/* It could not be decided: tried again later, or given up after the last failure. counts: whether it is the ticket's own fault. */
void put_back_failed(struct broker *broker, struct wake *wake, const char *code, const char *message,
                     const char *worker, bool counts);

/* What was to be written of it was not (no room on the disk, its row held by another session), and it is still ours: handed out again after a pause.
 * Let go it would wait for ever, for its row says that we have it. */
void put_back_unwritten(struct broker *broker, struct wake *wake);

/* Sends the statements of a batch's put-backs. arg: the broker. */
void put_back_send(void *arg, struct unit **units, size_t count, bool repeat);

#endif
