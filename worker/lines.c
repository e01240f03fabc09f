/* A file of lines; see lines.h. */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK_LINES = 256, SMALL_BYTES = 1 << 20 };

/* What a process says of a block; as many bytes of output, then of what is wrong, follow. The last one has no block, and a sum follows. */
struct frame {
    size_t out_len, wrong_len, wrong, done;
    bool is_last;
};

/* What one process makes of its blocks. */
struct part {
    const struct lines *lines;
    unsigned n, of;
    FILE *out, *told; /* of the block */
    struct frame frame;
};

static FILE *lines_open(const char *path, struct err *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL)
        (void)err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return file;
}

static void part_line(struct part *part, const char *text, size_t len, size_t number)
{
    struct err err = {0};
    unsigned column = 0;

    if (len == 0 || strspn(text, " \t\r\n") == len)
        return;
    if (part->lines->line(part->lines->arg, part->out, text, len, number, &column, &err)) {
        part->frame.done++;
        return;
    }
    /* What people wrote is quoted in here: nothing of it may move a terminal's cursor or begin a new line. */
    for (char *p = err.msg; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    if (part->frame.wrong++ >= LINES_TOLD_MAX)
        return;
    (void)fprintf(part->told, "%s:%zu:", part->lines->path, number);
    if (column != 0)
        (void)fprintf(part->told, "%u:", column);
    (void)fprintf(part->told, " %s\n", err.msg);
}

/* block_end is called after each block of this part; false from it ends the reading. Whether all was read: errno says why not. */
static bool part_read(struct part *part, FILE *file, bool (*block_end)(struct part *part, void *arg),
                      void *arg)
{
    char *text = NULL;
    size_t room = 0, number = 0;
    ssize_t len;
    bool ok = true;

    errno = 0;
    while (ok && (len = getline(&text, &room, file)) >= 0) {
        bool is_mine = number / BLOCK_LINES % part->of == part->n;
        number++;
        if (is_mine)
            part_line(part, text, (size_t)len, number);
        if (is_mine && number % BLOCK_LINES == 0 && block_end != NULL)
            ok = block_end(part, arg);
    }
    int fault = ferror(file) ? errno : 0;
    free(text);
    if (ok && number % BLOCK_LINES != 0 && number / BLOCK_LINES % part->of == part->n && block_end != NULL)
        ok = block_end(part, arg);
    errno = fault;
    return ok && fault == 0;
}

/* ---- one of several ---- */

struct texts {
    char *out, *told;
    size_t out_len, told_len;
    FILE *to;
};

static bool texts_open(struct part *part, struct texts *texts)
{
    part->frame = (struct frame){0};
    part->out = open_memstream(&texts->out, &texts->out_len);
    part->told = open_memstream(&texts->told, &texts->told_len);
    return part->out != NULL && part->told != NULL;
}

static bool texts_send(struct part *part, void *arg)
{
    struct texts *texts = arg;

    (void)fclose(part->out);
    (void)fclose(part->told);
    part->frame.out_len = texts->out_len;
    part->frame.wrong_len = texts->told_len;
    bool ok = fwrite(&part->frame, sizeof part->frame, 1, texts->to) == 1 &&
              fwrite(texts->out, 1, texts->out_len, texts->to) == texts->out_len &&
              fwrite(texts->told, 1, texts->told_len, texts->to) == texts->told_len;
    free(texts->out);
    free(texts->told);
    return ok && texts_open(part, texts);
}

/* The whole of a process; gives its exit status. */
static int part_work(struct part *part, int fd)
{
    struct texts texts = {.to = fdopen(fd, "w")};
    struct err err;
    FILE *file = lines_open(part->lines->path, &err);

    if (texts.to == NULL || file == NULL || !texts_open(part, &texts) ||
        !part_read(part, file, texts_send, &texts))
        return 1;
    struct frame last = {.is_last = true};
    bool ok =
        fwrite(&last, sizeof last, 1, texts.to) == 1 && part->lines->sum_write(part->lines->arg, texts.to);
    return fclose(texts.to) == 0 && ok ? 0 : 1;
}

/* ---- the one that prints ---- */

struct job {
    pid_t pid;
    FILE *from;
};

static bool copy(FILE *from, size_t len, FILE *to)
{
    char bytes[4096];

    while (len != 0) {
        size_t want = len < sizeof bytes ? len : sizeof bytes;
        if (fread(bytes, 1, want, from) != want)
            return false;
        (void)fwrite(bytes, 1, want, to);
        len -= want;
    }
    return true;
}

/* What is wrong with the lines of a block, as far as there is still room to tell. */
static bool tell(FILE *from, size_t len, size_t *told)
{
    for (; len != 0; len--) {
        int c = getc(from);
        if (c == EOF)
            return false;
        if (*told < LINES_TOLD_MAX)
            (void)fputc(c, stderr);
        *told += c == '\n';
    }
    return true;
}

/* The process of jobs[i]; those before it run. What is started and not gathered must find its pipe closed, or it writes for ever. */
static bool job_start(const struct lines *lines, unsigned i, unsigned count, struct job *jobs)
{
    int ends[2];

    if (pipe(ends) != 0)
        return false;
    jobs[i].from = fdopen(ends[0], "r");
    if (jobs[i].from == NULL) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return false;
    }
    (void)fflush(stdout);
    jobs[i].pid = fork();
    if (jobs[i].pid == 0) {
        struct part part = {.lines = lines, .n = i, .of = count};
        for (unsigned k = 0; k <= i; k++)
            (void)close(fileno(jobs[k].from));
        _exit(part_work(&part, ends[1]));
    }
    (void)close(ends[1]);
    return jobs[i].pid > 0;
}

static bool jobs_start(const struct lines *lines, unsigned count, struct job *jobs, struct err *err)
{
    for (unsigned i = 0; i < count; i++) {
        errno = 0;
        if (!job_start(lines, i, count, jobs))
            return err_set(err, ERR_IO, "%s: process %u of %u to read it cannot be started: %s", lines->path,
                           i + 1, count, strerror(errno));
    }
    return true;
}

/* Blocks in their order, each from the process whose turn it is; the first that has no more is the end of all. */
static bool jobs_gather(struct job *jobs, unsigned count, size_t *wrong, size_t *done)
{
    size_t told = 0;
    unsigned ended = 0;

    for (unsigned i = 0; ended < count; i = (i + 1) % count) {
        struct frame frame;
        if (fread(&frame, sizeof frame, 1, jobs[i].from) != 1)
            return false;
        if (frame.is_last)
            ended++;
        else if (ended != 0 || !copy(jobs[i].from, frame.out_len, stdout) ||
                 !tell(jobs[i].from, frame.wrong_len, &told))
            return false;
        *wrong += frame.wrong;
        *done += frame.done;
    }
    return true;
}

static bool jobs_end(const struct lines *lines, struct job *jobs, unsigned count, bool ok)
{
    for (unsigned i = 0; i < count; i++) {
        int status = 1;
        ok = ok && lines->sum_add(lines->arg, jobs[i].from);
        if (jobs[i].from != NULL)
            (void)fclose(jobs[i].from); /* one that still writes ends by it */
        if (jobs[i].pid > 0)
            (void)waitpid(jobs[i].pid, &status, 0);
        ok = ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return ok;
}

/* ---- public ---- */

unsigned lines_jobs(const char *path, unsigned wanted)
{
    struct stat st;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 1;
    if (wanted != 0)
        return wanted;
    if (st.st_size < SMALL_BYTES || processors < 1)
        return 1;
    return processors > LINES_JOBS_MAX ? LINES_JOBS_MAX : (unsigned)processors;
}

static bool run_several(const struct lines *lines, unsigned count, size_t *wrong, size_t *done,
                        struct err *err)
{
    struct job jobs[LINES_JOBS_MAX] = {{0}};
    bool started = jobs_start(lines, count, jobs, err);
    bool gathered = started && jobs_gather(jobs, count, wrong, done);

    if (!jobs_end(lines, jobs, count, gathered) && started)
        return err_set(err, ERR_IO, "%s: a process that read it ended", lines->path);
    return started;
}

bool lines_run(const struct lines *lines, unsigned jobs, size_t *ret_done, struct err *err)
{
    struct part part = {.lines = lines, .n = 0, .of = 1, .out = stdout, .told = stderr};
    FILE *file = lines_open(lines->path, err);
    size_t wrong = 0;

    *ret_done = 0;
    if (file == NULL)
        return false;
    bool ok = true;
    if (jobs > 1) {
        ok = run_several(lines, jobs, &wrong, ret_done, err);
    } else {
        ok = part_read(&part, file, NULL, NULL) ||
             err_set(err, ERR_IO, "%s: %s", lines->path, strerror(errno));
        wrong = part.frame.wrong;
        *ret_done = part.frame.done;
    }
    if (file != stdin)
        (void)fclose(file);
    if (wrong > LINES_TOLD_MAX)
        (void)fprintf(stderr, "… and %zu more\n", wrong - LINES_TOLD_MAX);
    return ok && (wrong == 0 || err_set(err, ERR_INVALID, "%zu wrong lines", wrong));
}
