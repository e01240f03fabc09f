/* The company's process as this broker knows it: which version is current, and whether a new one may become it. */
#ifndef DOCKET_PROCESS_ROOM_H
#define DOCKET_PROCESS_ROOM_H

#include "process.h"

struct broker;
struct call;

/* Looks for a new current version twice a second, or at once after process.apply; tells the workers. */
void process_room_tick(struct broker *broker);

/* Goes on with fn at once when the version with this hash is current here; else once it was looked for. For what is read: a version that was
 * applied a moment ago is used then. hash: "" is any
 * fn: known  false: it is another one, and the database could not be asked */
typedef void process_known_fn(void *arg, bool known);
void process_room_await(struct broker *broker, const char *hash, process_known_fn *fn, void *arg);

/* The same once the database was asked which version is current, by a question that begins now at the earliest. */
void process_room_await_newest(struct broker *broker, process_known_fn *fn, void *arg);

/* process_log.n of the version with this hash: the current one, or the one before. SPAN_NONE, and one that this broker has not seen, count
 * as current. 0: none was ever applied. ret_unseen: the latter, when the statement is to ask the database first, else SPAN_NONE; which
 * version is current is looked for at once then. */
int32_t process_room_number(struct broker *broker, struct span hash, struct span *ret_unseen);

/* How long before meetings that say nothing of it the current version reminds of them, seconds; -1: none is known here. */
int64_t process_room_reminder_s(const struct broker *broker);

/* Checks the files of a process.apply: here, then by every worker that is connected. Calls write with them when nobody objects, and with
 * the encoded list of what is allowed but hardly meant, and of who did not try them; answers the call itself when somebody objects, when
 * all that were asked are silent, or when it is a dry run. Takes the call. */
typedef void process_room_write_fn(struct broker *broker, struct call *call,
                                   const struct process_files *files, const char *hash, struct span warnings);
void process_room_check(struct broker *broker, struct call *call, process_room_write_fn *write);

/* The package of customers that are not on file; NULL: they are refused. By the current process, else accepted as "standard". */
const char *process_room_package_of_unknown(const struct broker *broker);

void process_room_clear(struct broker *broker);

#endif
