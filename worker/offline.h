/* What docket-worker answers without a broker: check, test, explain, due, zone. Each gets the arguments after its name and returns
 * the exit status: 0, 1 when something is refused, 2 for a wrong use. */
#ifndef DOCKET_OFFLINE_H
#define DOCKET_OFFLINE_H

#include "engine.h"
#include "faults.h"
#include "wire.h"
#include "yaml_node.h"

#define OFFLINE_ZONEINFO "/usr/share/zoneinfo"

int offline_check(int argc, char **argv);
int offline_explain(int argc, char **argv);
int offline_test(int argc, char **argv);
int offline_simulate(int argc, char **argv);
int offline_whatif(int argc, char **argv);
int offline_due(int argc, char **argv);
int offline_zone(int argc, char **argv);

/* Loads a process; what is wrong is printed on standard error. The caller frees. */
bool offline_engine_open(const char *dir, const char *zoneinfo, struct engine **ret)
    __attribute__((warn_unused_result));

/* Appends the body of a work. given: a whole work (`now` may be left out: then it is now); an answer of ticket.show: as it stands; or a
 * ticket as it is submitted, or one of ticket.list: posted now, or at its `posted_at`. */
void offline_work_make(const struct wire_val *given, struct buf *out);

/* Whether a broker would take the ticket, or the work, that offline_work_make is given; a fault for each thing that it would not.
 * in:  written  the same as it was written, for places, or NULL; place: of all else */
bool offline_ticket_check(const struct engine *engine, const struct wire_val *given,
                          const struct yaml_node *written, struct fault_place place, struct faults *faults)
    __attribute__((warn_unused_result));

/* Prints how a subcommand is used; gives the exit status 2. */
int offline_usage(const char *usage);

#endif
