/* Errors that travel: a code that programs branch on, words that people read.
 *
 * The first codes are those of the wire (docs/protocol.md, "Codes"), so that an error found deep inside a
 * check reaches the client without being translated. Knows nothing of sockets, SQL or logs. */
#ifndef DOCKET_ERR_H
#define DOCKET_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum err_code {
    ERR_NONE = 0,
    ERR_MALFORMED,   /* not one message of the protocol's form */
    ERR_UNSUPPORTED, /* a version or an op we do not know */
    ERR_INVALID,     /* a value that is not allowed; names its field */
    ERR_NOT_FOUND,
    ERR_FORBIDDEN,
    ERR_CONFLICT, /* same key with other content, or a state that does not allow the op */
    ERR_TOO_LARGE,
    ERR_BUSY,        /* a limit is reached for now: repeat later */
    ERR_UNAVAILABLE, /* the database is away, or no worker for what needs one: repeat later */
    ERR_INTERNAL,
    ERR_IO,      /* a file, a socket or a library failed; never sent to clients as such */
    ERR_TIMEOUT, /* no answer in time */
    ERR_CODES
};

struct err {
    enum err_code code;
    char field[96]; /* the field at fault, "" when none */
    char msg[1024]; /* one sentence for people: what was wrong, what is allowed */
};

/* Sets err and returns false, so that a check ends with `return err_set(err, …)`.
 * in:  code   not ERR_NONE
 *      fmt    printf form of the message; cut at the size of msg. What it quotes may be cut by bytes: half a letter, which no
 *             client could read, becomes a question mark
 * err may be NULL: then nothing is kept. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same, naming the field that was wrong ("contact.email"); cut at the size of field. */
bool err_field(struct err *err, enum err_code code, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts words before the message that is there: err_prefix(err, "%s: ", path). Returns false. */
bool err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The code as the wire writes it: "invalid". Never NULL; codes of our own machine read "internal". */
const char *err_code_name(enum err_code code);

/* The code of a name from the wire; ERR_INTERNAL when we do not know it. */
enum err_code err_code_parse(const char *name, size_t len);

/* Whether repeating the same request later can help (the "retry" of the wire). */
bool err_is_retry(enum err_code code);

#endif
