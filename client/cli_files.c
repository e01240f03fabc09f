/* Directories of process files; see cli_files.h. */
#include "cli_files.h"

#include "cli.h"
#include "mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096, DEPTH_MAX = 8 };

bool cli_files_name_is_safe(const char *name)
{
    for (const char *p = name;;) {
        size_t n = strcspn(p, "/");
        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)p[i] < 0x20 || p[i] == '\\' || p[i] == 0x7f)
                return false;
        if (p[n] == '\0')
            return true;
        p += n + 1;
    }
}

static bool files_add(struct cli_files *files, const char *name, char *taken_bytes, size_t len,
                      struct err *err)
{
    files->bytes += len;
    if (files->count == CLI_FILES_MAX || files->bytes > CLI_FILES_BYTES_MAX) {
        free(taken_bytes);
        return err_set(err, ERR_TOO_LARGE, "the process has over %d files or %d bytes", CLI_FILES_MAX,
                       CLI_FILES_BYTES_MAX);
    }
    files->items = mem_grow(files->items, files->count + 1, sizeof *files->items);
    files->items[files->count++] = (struct cli_file){mem_strdup(name), taken_bytes, len};
    return true;
}

static int files_compare(const void *a, const void *b)
{
    return strcmp(((const struct cli_file *)a)->name, ((const struct cli_file *)b)->name);
}

static bool read_dir(const char *root, const char *below, unsigned depth, struct cli_files *files,
                     struct err *err);

static bool read_entry(const char *root, const char *name, unsigned depth, struct cli_files *files,
                       struct err *err)
{
    char path[PATH_BYTES_MAX];
    struct stat st;
    char *bytes = NULL;
    size_t len = 0;

    if (snprintf(path, sizeof path, "%s/%s", root, name) >= (int)sizeof path)
        return err_set(err, ERR_INVALID, "%s/%s: the path is too long", root, name);
    if (stat(path, &st) != 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return depth < DEPTH_MAX
                   ? read_dir(root, name, depth + 1, files, err)
                   : err_set(err, ERR_INVALID, "%s: nested over %d directories", path, DEPTH_MAX);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "%s: neither a file nor a directory", path);
    if (!cli_files_name_is_safe(name))
        return err_set(err, ERR_INVALID, "%s: a name with control characters or a backslash", path);
    return cli_file_read(path, CLI_FILES_BYTES_MAX, &bytes, &len, err) &&
           files_add(files, name, bytes, len, err);
}

static bool name_is_left_out(const char *name)
{
    return name[0] == '.' || name[strlen(name) - 1] == '~';
}

/* below: "" or a directory below root. */
static bool read_dir(const char *root, const char *below, unsigned depth, struct cli_files *files,
                     struct err *err)
{
    char path[PATH_BYTES_MAX], name[PATH_BYTES_MAX];
    const struct dirent *entry;
    bool ok = true;

    (void)snprintf(path, sizeof path, "%s/%s", root, below);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    while (ok && (entry = readdir(dir)) != NULL) {
        if (name_is_left_out(entry->d_name))
            continue;
        int n = snprintf(name, sizeof name, "%s%s%s", below, *below != '\0' ? "/" : "", entry->d_name);
        ok = n < (int)sizeof name ? read_entry(root, name, depth, files, err)
                                  : err_set(err, ERR_INVALID, "%s: the path is too long", path);
    }
    (void)closedir(dir);
    return ok;
}

bool cli_files_read(const char *dir, struct cli_files *ret, struct err *err)
{
    struct cli_files files = {0};

    if (!read_dir(dir, "", 0, &files, err)) {
        cli_files_clear(&files);
        return false;
    }
    if (files.count == 0)
        return err_set(err, ERR_INVALID, "%s: there are no files in it", dir);
    qsort(files.items, files.count, sizeof *files.items, files_compare);
    *ret = files;
    return true;
}

bool cli_files_from_map(const struct wire_val *map, struct cli_files *ret, struct err *err)
{
    struct cli_files files = {0};
    bool ok = wire_type(map) == WIRE_MAP ? true : err_set(err, ERR_INVALID, "the answer has no files");

    for (size_t i = 0; ok && i < wire_count(map); i++) {
        struct span key = wire_key_at(map, i), bytes = SPAN_NONE;
        char *name = mem_strndup(key.p, key.len);
        if (!wire_get_bin(wire_val_at(map, i), &bytes) || !cli_files_name_is_safe(name))
            ok = err_set(err, ERR_INVALID,
                         "the answer has a file with a name or content that cannot be: '%.80s'", name);
        else
            ok = files_add(&files, name, mem_strndup(bytes.len != 0 ? bytes.p : "", bytes.len), bytes.len,
                           err);
        free(name);
    }
    if (!ok) {
        cli_files_clear(&files);
        return false;
    }
    if (files.count != 0)
        qsort(files.items, files.count, sizeof *files.items, files_compare);
    *ret = files;
    return true;
}

/* Makes the directories above the file. */
static bool make_parents(char *path, size_t from, struct err *err)
{
    for (char *p = strchr(path + from, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        int rc = mkdir(path, 0777);
        int why = errno;
        *p = '/';
        if (rc != 0 && why != EEXIST)
            return err_set(err, ERR_IO, "%s: %s", path, strerror(why));
    }
    return true;
}

static bool write_file(const struct cli_file *file, const char *dir, struct err *err)
{
    char path[PATH_BYTES_MAX];

    if (snprintf(path, sizeof path, "%s/%s", dir, file->name) >= (int)sizeof path)
        return err_set(err, ERR_IO, "%s/%s: the path is too long", dir, file->name);
    if (!make_parents(path, strlen(dir) + 1, err))
        return false;
    FILE *out = fopen(path, "wx");
    if (out == NULL)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    bool ok = fwrite(file->bytes, 1, file->len, out) == file->len;
    ok = fclose(out) == 0 && ok;
    return ok ? true : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

bool cli_files_write(const struct cli_files *files, const char *dir, struct err *err)
{
    if (mkdir(dir, 0777) != 0 && (errno != EEXIST || rmdir(dir) != 0 || mkdir(dir, 0777) != 0))
        return errno == ENOTEMPTY || errno == EEXIST ? err_set(err, ERR_CONFLICT, "%s is not empty", dir)
                                                     : err_set(err, ERR_IO, "%s: %s", dir, strerror(errno));
    for (size_t i = 0; i < files->count; i++)
        if (!write_file(&files->items[i], dir, err))
            return false;
    return true;
}

void cli_files_clear(struct cli_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].name);
        free(files->items[i].bytes);
    }
    free(files->items);
    *files = (struct cli_files){0};
}
