/* The log of a program; see log.h. */
#include "log.h"
#include "clock.h"
#include "instant.h"
#include "utf8.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LINE_BYTES = 2048, QUOTE_BYTES = 408, QUOTES = 4, READER_MS = 100 };

/* The log sink is the one thing that changes and is kept at file level: whoever finds something wrong must be able to say it. */
static struct {
    const char *program;
    enum log_level least;
    unsigned next_quote;
    unsigned long lost; /* lines since the reader of the log stands still, or its disk is full */
    bool cut;           /* the last line went out without its end */
    char quotes[QUOTES][QUOTE_BYTES];
} sink = {.program = "docket", .least = LOG_INFO};

void log_open(const char *program, enum log_level level)
{
    sink.program = program;
    sink.least = level;
}

static const char *const level_names[] = {"debug", "info", "warn", "error"};

bool log_level_parse(const char *text, enum log_level *ret, struct err *err)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (strcmp(text, level_names[i]) == 0) {
            *ret = (enum log_level)i;
            return true;
        }
    return err_field(err, ERR_INVALID, "log_level",
                     "log_level: \"%.40s\" is not allowed, want debug, info, warn or error", text);
}

/* Whether a line goes out at once; false: who reads the log stands still. It may be slow for a moment, no more: our loop waits for it. */
static bool sink_takes(int wait_ms)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&out, 1, wait_ms) != 0;
}

/* One write a line: lines of several processes on one file do not mix. A full disk takes part of a line: the next one does not go on there. */
static bool sink_put(char *line, size_t len)
{
    char end[] = "\n";
    struct iovec parts[] = {{end, sink.cut ? 1 : 0}, {line, len}};
    ssize_t put = writev(STDERR_FILENO, parts, 2);

    if (put <= 0)
        return false;
    bool whole = (size_t)put == parts[0].iov_len + len;
    sink.cut = !whole && (size_t)put > parts[0].iov_len;
    return whole;
}

static void sink_write(char *line, size_t len)
{
    if (sink.lost > 0 && sink_takes(0)) {
        unsigned long lost = sink.lost;
        sink.lost = 0;
        log_event(LOG_WARN, "log_lines_lost", "lines=%lu", lost);
        if (sink.lost > 0)
            sink.lost = lost; /* that line was not taken either */
    }
    if (!sink_takes(sink.lost > 0 ? 0 : READER_MS) || !sink_put(line, len))
        sink.lost++;
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    char line[LINE_BYTES];
    char at[32];
    va_list args;

    if (level < sink.least)
        return;
    (void)instant_format_us(clock_wall_us(), at);
    int n = snprintf(line, sizeof line, "at=%s level=%s program=%s pid=%ld event=%s ", at, level_names[level],
                     sink.program, (long)getpid(), event);
    va_start(args, fmt);
    int more = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, args);
    va_end(args);
    size_t len = (size_t)n + (more < 0 ? 0 : (size_t)more);
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    while (len > 0 && line[len - 1] == ' ')
        len--;
    line[len] = '\0';
    utf8_mend(line); /* what was cut inside a letter: journald shows no line that is not UTF-8 */
    line[len] = '\n';
    sink_write(line, len + 1);
}

const char *log_quote(const char *text)
{
    char *out = sink.quotes[sink.next_quote++ % QUOTES];
    size_t n = 0;

    out[n++] = '"';
    for (size_t i = 0; text[i] != '\0' && n < QUOTE_BYTES - 4; i++) {
        if (text[i] == '"' || text[i] == '\\')
            out[n++] = '\\';
        out[n++] = text[i];
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}
