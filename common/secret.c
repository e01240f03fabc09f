/* Secrets from files; see secret.h. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

/* What is there, at most size bytes; -1: errno says why not. */
static ssize_t read_all(int fd, char *ret, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, ret + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

/* Into ret, of which nothing is left behind unless it was read whole. */
static bool secret_take(const char *what, const char *path, int fd, char *ret, size_t size, struct err *err)
{
    struct stat facts;
    ssize_t n = fstat(fd, &facts) == 0 ? read_all(fd, ret, size) : -1;

    if (n < 0)
        return err_set(err, ERR_IO, "%s: cannot read %s: %s", what, path, strerror(errno));
    if (facts.st_mode & (S_IRWXG | S_IRWXO))
        return err_set(err, ERR_INVALID, "%s: %s may be read by others: chmod 600", what, path);
    if (n == 0)
        return err_set(err, ERR_INVALID, "%s: %s is empty", what, path);
    if ((size_t)n == size)
        return err_set(err, ERR_INVALID, "%s: %s is longer than %zu bytes", what, path, size - 1);
    ret[n] = '\0';
    return true;
}

bool secret_read(const char *what, const char *path, char *ret, size_t size, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: cannot read %s: %s", what, path, strerror(errno));
    bool ok = secret_take(what, path, fd, ret, size, err);
    if (!ok)
        sodium_memzero(ret, size);
    (void)close(fd);
    return ok;
}
