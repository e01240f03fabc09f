/* The worker at work: its brokers, its loop, its end on SIGTERM or SIGINT. */
#ifndef DOCKET_SERVE_H
#define DOCKET_SERVE_H

#include "settings_worker.h"

/* Runs until it is told to leave and every broker let it go (or was silent). Returns the exit status. */
int worker_serve(const struct worker_settings *settings);

#endif
