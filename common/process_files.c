/* The files of a process as a set of named bytes: from a directory, from and to MessagePack, and their hash.
 * Knows nothing of what the files say. */
#include "process.h"

#include "mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIR_DEPTH_MAX = 6, HASH_RAW_BYTES = 32 };

/* Relative, of plain letters, no empty part, none that begins with a dot. */
static bool name_is_allowed(struct span name)
{
    if (name.len == 0 || name.len > PROCESS_FILE_NAME_MAX || name.p[name.len - 1] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool begins = i == 0 || name.p[i - 1] == '/';
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (begins ? !(letter || c == '_') : !(letter || (c != '\0' && strchr("._/-", c) != NULL)))
            return false;
    }
    return true;
}

/* Where name is, or would be put. */
static size_t files_place(const struct process_files *files, const char *name, bool *ret_there)
{
    size_t low = 0, high = files->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int by = strcmp(files->items[mid].name, name);
        if (by == 0) {
            *ret_there = true;
            return mid;
        }
        if (by < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *ret_there = false;
    return low;
}

static size_t files_bytes(const struct process_files *files)
{
    size_t sum = 0;
    for (size_t i = 0; i < files->count; i++)
        sum += files->items[i].len;
    return sum;
}

bool process_files_add(struct process_files *files, struct span name, struct span bytes, struct err *err)
{
    char text[PROCESS_FILE_NAME_MAX + 1];
    bool there = false;

    if (!name_is_allowed(name))
        return err_field(err, ERR_INVALID, "files",
                         "\"%.*s\" is no name of a file, want 1 to %d of A-Z a-z 0-9 . _ - /, no part "
                         "beginning with a dot",
                         (int)(name.len < 60 ? name.len : 60), name.len > 0 ? name.p : "",
                         PROCESS_FILE_NAME_MAX);
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    size_t at = files_place(files, text, &there);
    if (there)
        return err_field(err, ERR_INVALID, "files", "%s: is there twice", text);
    if (files->count == PROCESS_FILES_MAX)
        return err_field(err, ERR_TOO_LARGE, "files", "more than %d files", PROCESS_FILES_MAX);
    if (bytes.len > PROCESS_BYTES_MAX - files_bytes(files))
        return err_field(err, ERR_TOO_LARGE, "files", "%s: all files together have more than %d bytes", text,
                         PROCESS_BYTES_MAX);
    files->items = mem_grow(files->items, files->count + 1, sizeof *files->items);
    memmove(files->items + at + 1, files->items + at, (files->count - at) * sizeof *files->items);
    files->items[at] = (struct process_file){mem_strdup(text), mem_strndup(bytes.p, bytes.len), bytes.len};
    files->count++;
    return true;
}

void process_files_clear(struct process_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].name);
        free(files->items[i].bytes);
    }
    free(files->items);
    *files = (struct process_files){NULL, 0};
}

const struct process_file *process_files_find(const struct process_files *files, const char *name)
{
    bool there = false;
    size_t at = files_place(files, name, &there);
    return there ? &files->items[at] : NULL;
}

/* One regular file, whole. */
static bool file_add(int dir, const char *leaf, const char *name, struct process_files *files,
                     struct err *err)
{
    struct stat about;
    char *bytes = NULL;
    size_t len = 0;
    bool ok = false;
    int fd = openat(dir, leaf, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us up */

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: cannot be read: %s", name, strerror(errno));
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        err_set(err, ERR_INVALID, "%s: is no regular file", name);
        goto out;
    }
    if (about.st_size > PROCESS_BYTES_MAX) {
        err_field(err, ERR_TOO_LARGE, "files", "%s: has more than %d bytes", name, PROCESS_BYTES_MAX);
        goto out;
    }
    bytes = mem_new((size_t)about.st_size + 1, 1);
    while (len < (size_t)about.st_size) {
        ssize_t n = read(fd, bytes + len, (size_t)about.st_size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            err_set(err, ERR_IO, "%s: cannot be read: %s", name, strerror(errno));
            goto out;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    ok = process_files_add(files, span_of(name), (struct span){bytes, len}, err);
out:
    free(bytes);
    (void)close(fd);
    return ok;
}

/* Whether a file of a process ends so. */
static bool name_is_of_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".ics") == 0);
}

static bool dir_add(int fd, const char *prefix, unsigned depth, struct process_files *files, struct err *err);

static bool entry_add(int dir, const char *leaf, const char *prefix, unsigned depth,
                      struct process_files *files, struct err *err)
{
    char name[PROCESS_FILE_NAME_MAX + 2];
    struct stat about;

    if (snprintf(name, sizeof name, "%s%s", prefix, leaf) > PROCESS_FILE_NAME_MAX)
        return err_field(err, ERR_INVALID, "files", "%.60s…: a name of more than %d bytes", name,
                         PROCESS_FILE_NAME_MAX);
    if (fstatat(dir, leaf, &about, 0) != 0)
        return err_set(err, ERR_IO, "%s: cannot be read: %s", name, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return file_add(dir, leaf, name, files, err);
    if (name_is_of_file(name))
        return err_set(err, ERR_INVALID, "%s: is a folder, want a file", name);
    if (depth == DIR_DEPTH_MAX)
        return err_field(err, ERR_INVALID, "files", "%s: folders nested deeper than %d", name, DIR_DEPTH_MAX);
    int below = openat(dir, leaf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (below < 0)
        return err_set(err, ERR_IO, "%s: cannot be read: %s", name, strerror(errno));
    char slashed[PROCESS_FILE_NAME_MAX + 3];
    (void)snprintf(slashed, sizeof slashed, "%s/", name);
    return dir_add(below, slashed, depth + 1, files, err);
}

/* Takes fd. */
static bool dir_add(int fd, const char *prefix, unsigned depth, struct process_files *files, struct err *err)
{
    bool ok = true;
    DIR *dir = fdopendir(fd);

    if (dir == NULL) {
        (void)err_set(err, ERR_IO, "%s: cannot be read: %s", prefix, strerror(errno));
        (void)close(fd);
        return false;
    }
    for (struct dirent *entry; ok;) {
        errno = 0;
        if ((entry = readdir(dir)) == NULL) {
            ok = errno == 0 || err_set(err, ERR_IO, "%s: cannot be read: %s", prefix, strerror(errno));
            break;
        }
        if (entry->d_name[0] != '.')
            ok = entry_add(dirfd(dir), entry->d_name, prefix, depth, files, err);
    }
    (void)closedir(dir);
    return ok;
}

bool process_files_read(const char *dir, struct process_files *ret, struct err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot be read: %s", strerror(errno));
    bool ok = dir_add(fd, "", 1, ret, err);
    if (!ok)
        process_files_clear(ret);
    return ok;
}

void process_files_encode(const struct process_files *files, struct buf *out)
{
    wire_put_map(out, files->count);
    for (size_t i = 0; i < files->count; i++) {
        wire_put_text(out, files->items[i].name);
        wire_put_bin(out, (struct span){files->items[i].bytes, files->items[i].len});
    }
}

bool process_files_decode(const struct wire_val *map, struct process_files *ret, struct err *err)
{
    if (wire_type(map) != WIRE_MAP)
        return err_field(err, ERR_INVALID, "files", "is %s, want a map of names and bytes",
                         wire_type_name(wire_type(map)));
    for (size_t i = 0; i < wire_count(map); i++) {
        struct span bytes;
        struct span name = wire_key_at(map, i);
        bool ok = wire_get_bin(wire_val_at(map, i), &bytes);
        if (!ok)
            err_field(err, ERR_INVALID, "files", "%.*s: is %s, want bytes",
                      (int)(name.len < 60 ? name.len : 60), name.p,
                      wire_type_name(wire_type(wire_val_at(map, i))));
        if (!ok || !process_files_add(ret, name, bytes, err)) {
            process_files_clear(ret);
            return false;
        }
    }
    return true;
}

static void hash_length(crypto_generichash_state *state, size_t len)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)len >> (8 * i));
    (void)crypto_generichash_update(state, bytes, sizeof bytes);
}

void process_files_hash(const struct process_files *files, char ret[PROCESS_HASH_BYTES])
{
    crypto_generichash_state state;
    unsigned char raw[HASH_RAW_BYTES];

    (void)crypto_generichash_init(&state, NULL, 0, sizeof raw);
    for (size_t i = 0; i < files->count; i++) {
        const struct process_file *file = &files->items[i];
        hash_length(&state, strlen(file->name));
        (void)crypto_generichash_update(&state, (const unsigned char *)file->name, strlen(file->name));
        hash_length(&state, file->len);
        (void)crypto_generichash_update(&state, (const unsigned char *)file->bytes, file->len);
    }
    (void)crypto_generichash_final(&state, raw, sizeof raw);
    (void)sodium_bin2hex(ret, PROCESS_HASH_BYTES, raw, sizeof raw);
}
