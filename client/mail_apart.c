/* The parser in a child: whatever a mail does to it, this process goes on. */
#include "mail.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CPU_S = 20, WALL_MS = 60000, MEMORY_BYTES = 512 << 20 };

static void limit(int what, rlim_t most)
{
    const struct rlimit limits = {most, most};
    (void)setrlimit(what, &limits);
}

static bool write_all(int fd, struct span bytes)
{
    while (bytes.len != 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = (struct span){bytes.p + n, bytes.len - (size_t)n};
    }
    return true;
}

/* Never returns. One byte first: whether a map or a reason follows. */
static _Noreturn void child_run(struct span message, int fd)
{
    struct err err = {.code = ERR_NONE};
    struct buf out;

    limit(RLIMIT_CPU, CPU_S);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NPROC, 0);
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
    limit(RLIMIT_AS, MEMORY_BYTES);
#endif
    buf_init(&out, MAIL_FACTS_BYTES_MAX);
    bool ok = mail_parse(message, &out, &err);
    struct span answer = ok ? buf_span(&out) : span_of(err.msg);
    ok = write_all(fd, (struct span){ok ? "+" : "-", 1}) && write_all(fd, answer);
    _exit(ok ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Reads to the end; false when it takes too long or is too much. */
static bool read_all(int fd, struct buf *ret)
{
    char bytes[16384];

    for (;;) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        int ready = poll(&item, 1, WALL_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t n = ready <= 0 ? -1 : read(fd, bytes, sizeof bytes);
        if (n == 0)
            return true;
        if (n < 0 || !buf_add(ret, bytes, (size_t)n))
            return false;
    }
}

static bool child_wait(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

bool mail_parse_apart(struct span message, struct buf *out, struct err *err)
{
    struct buf answer;
    int ends[2];

    if (pipe(ends) != 0)
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0) {
        int why = errno;
        close(ends[0]);
        close(ends[1]);
        return err_set(err, ERR_IO, "cannot fork: %s", strerror(why));
    }
    if (child == 0) {
        close(ends[0]);
        child_run(message, ends[1]);
    }
    close(ends[1]);
    buf_init(&answer, MAIL_FACTS_BYTES_MAX + 1);
    bool ok = read_all(ends[0], &answer);
    if (!ok)
        (void)kill(child, SIGKILL);
    close(ends[0]);
    ok = child_wait(child) && ok && answer.len != 0;
    if (!ok)
        (void)err_set(err, ERR_MALFORMED, "this mail cannot be read: its parser did not survive it");
    else if (answer.p[0] != '+')
        ok = err_set(err, ERR_MALFORMED, "%.500s", answer.p + 1);
    else
        buf_add(out, answer.p + 1, answer.len - 1);
    buf_clear(&answer);
    return ok;
}
