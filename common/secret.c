/* Secrets from files; see secret.h. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool secret_read(const char *what, const char *path, char *ret, size_t size, struct err *err)
{
    char bytes[SECRET_BYTES_MAX + 1];
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &facts) != 0) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_IO, "%s: cannot read %s: %s", what, path, strerror(why));
    }
    ssize_t n = read(fd, bytes, sizeof bytes);
    close(fd);
    if (facts.st_mode & (S_IRWXG | S_IRWXO))
        return err_set(err, ERR_INVALID, "%s: %s may be read by others: chmod 600", what, path);
    if (n <= 0)
        return err_set(err, ERR_INVALID, "%s: %s is empty", what, path);
    if ((size_t)n >= size)
        return err_set(err, ERR_INVALID, "%s: %s is longer than %zu bytes", what, path, size - 1);
    memcpy(ret, bytes, (size_t)n);
    ret[n] = '\0';
    return true;
}
