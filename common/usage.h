/* What the usage of each daemon ends with. */
#ifndef DOCKET_USAGE_H
#define DOCKET_USAGE_H

#define USAGE_STATUS                                                                                      \
    "Exit status: 0 done, or ended in order by SIGTERM; 1 it cannot start, or what was checked is wrong " \
    "(standard error "                                                                                    \
    "says what); 2 wrong usage.\n"

#endif
