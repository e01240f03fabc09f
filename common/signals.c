/* Signals as something the loop reads; see signals.h. */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool signals_open(int *ret_fd, struct err *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN); /* who reads our log may be gone */
    int fd = sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC) : -1;
    if (fd < 0)
        return err_set(err, ERR_IO, "signals cannot be read: %s", strerror(errno));
    *ret_fd = fd;
    return true;
}

int signals_read(int fd)
{
    struct signalfd_siginfo info;

    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void signals_run(zloop_t *loop)
{
    zloop_set_nonstop(loop, true);
    while (zloop_start(loop) == 0)
        continue;
}
