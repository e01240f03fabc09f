/* Carries mail to the relay; see smtp.h. */
#include "smtp.h"
#include "address.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

enum { PASSWORD_BYTES_MAX = 512 };

struct smtp_job {
    struct smtp *smtp;
    struct smtp_job *next, *previous;
    CURL *easy;
    struct curl_slist *to;
    char *bytes;
    size_t len, sent;
    char reply[SMTP_REPLY_BYTES_MAX + 1];
    char error[CURL_ERROR_SIZE];
    smtp_end_fn *end_fn;
    void *arg;
};

struct smtp {
    zloop_t *loop;
    const struct settings_notifier *settings;
    CURLM *multi;
    int timer; /* -1: none */
    char from[ADDRESS_BYTES_MAX + 1];
    char password[PASSWORD_BYTES_MAX + 1];
    long use_ssl;
    struct breaker breaker;
    struct smtp_job *jobs;
    int in_flight;
};

static void smtp_collect(struct smtp *smtp);

/* ---- the loop's side ---- */

static int smtp_on_socket(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    struct smtp *smtp = arg;
    int running, mask = 0;
    (void)loop;

    if (item->revents & ZMQ_POLLIN)
        mask |= CURL_CSELECT_IN;
    if (item->revents & ZMQ_POLLOUT)
        mask |= CURL_CSELECT_OUT;
    if (item->revents & ZMQ_POLLERR)
        mask |= CURL_CSELECT_ERR;
    (void)curl_multi_socket_action(smtp->multi, item->fd, mask, &running);
    smtp_collect(smtp);
    return 0;
}

static int smtp_on_timer(zloop_t *loop, int timer, void *arg)
{
    struct smtp *smtp = arg;
    int running;
    (void)loop, (void)timer;

    smtp->timer = -1;
    (void)curl_multi_socket_action(smtp->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    smtp_collect(smtp);
    return 0;
}

/* curl says which descriptors it wants watched. */
static int smtp_on_want(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct smtp *smtp = arg;
    zmq_pollitem_t item = {.fd = fd};
    (void)easy, (void)socket_arg;

    zloop_poller_end(smtp->loop, &item);
    if (what == CURL_POLL_REMOVE)
        return 0;
    item.events = (short)((what & CURL_POLL_IN ? ZMQ_POLLIN : 0) | (what & CURL_POLL_OUT ? ZMQ_POLLOUT : 0));
    (void)zloop_poller(smtp->loop, &item, smtp_on_socket, smtp);
    zloop_poller_set_tolerant(smtp->loop, &item);
    return 0;
}

static int smtp_on_want_timer(CURLM *multi, long wait_ms, void *arg)
{
    struct smtp *smtp = arg;
    (void)multi;

    if (smtp->timer >= 0)
        zloop_timer_end(smtp->loop, smtp->timer);
    smtp->timer = wait_ms < 0 ? -1 : zloop_timer(smtp->loop, (size_t)wait_ms, 1, smtp_on_timer, smtp);
    return 0;
}

/* ---- one job ---- */

static size_t smtp_on_read(char *to, size_t size, size_t count, void *arg)
{
    struct smtp_job *job = arg;
    size_t n = size * count;
    if (n > job->len - job->sent)
        n = job->len - job->sent;
    memcpy(to, job->bytes + job->sent, n);
    job->sent += n;
    return n;
}

/* The relay's answers, a line each; the last one stays. */
static size_t smtp_on_line(char *line, size_t size, size_t count, void *arg)
{
    struct smtp_job *job = arg;
    size_t n = size * count, len = 0;
    for (size_t i = 0; i < n && len < SMTP_REPLY_BYTES_MAX; i++)
        if (line[i] != '\r' && line[i] != '\n')
            job->reply[len++] =
                (unsigned char)line[i] < 0x20 || (unsigned char)line[i] > 0x7e ? '?' : line[i];
    job->reply[len] = '\0';
    return n;
}

static void job_free(struct smtp_job *job)
{
    if (job->previous != NULL)
        job->previous->next = job->next;
    else
        job->smtp->jobs = job->next;
    if (job->next != NULL)
        job->next->previous = job->previous;
    (void)curl_multi_remove_handle(job->smtp->multi, job->easy);
    curl_easy_cleanup(job->easy);
    curl_slist_free_all(job->to);
    free(job->bytes);
    free(job);
}

/* What the end of a transfer says about the message. The response code decides before curl's, which calls
 * most refusals a failed upload; authentication and TLS are the relay's faults, not the message's. */
static enum send_result job_judge(const struct smtp_job *job, CURLcode code)
{
    long status = 0;
    (void)curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK)
        return SEND_DELIVERED;
    if (code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED ||
        code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || status == 421 ||
        status == 530 || status == 535)
        return SEND_CONNECTION;
    if (job->sent == job->len && (status == 354 || status == 0))
        return SEND_UNKNOWN;
    if (status >= 500 && status < 600)
        return SEND_PERMANENT;
    if (status >= 400 && status < 500)
        return SEND_TEMPORARY;
    return job->sent == job->len ? SEND_UNKNOWN : SEND_CONNECTION;
}

static void job_end(struct smtp_job *job, CURLcode code)
{
    struct smtp *smtp = job->smtp;
    enum send_result result = job_judge(job, code);
    char reply[SMTP_REPLY_BYTES_MAX + 1];
    smtp_end_fn *end_fn = job->end_fn;
    void *arg = job->arg;

    if (result == SEND_CONNECTION)
        (void)snprintf(reply, sizeof reply, "%s",
                       job->error[0] != '\0' ? job->error : curl_easy_strerror(code));
    else if (result == SEND_UNKNOWN)
        (void)snprintf(reply, sizeof reply, "no answer after the message: %s", curl_easy_strerror(code));
    else
        (void)snprintf(reply, sizeof reply, "%s", job->reply);
    if (result == SEND_CONNECTION || result == SEND_UNKNOWN)
        breaker_on_fault(&smtp->breaker, clock_mono_us());
    else
        breaker_on_answer(&smtp->breaker, SMTP_IN_FLIGHT_MAX);
    job_free(job);
    smtp->in_flight--;
    end_fn(arg, result, reply);
}

static void smtp_collect(struct smtp *smtp)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(smtp->multi, &left)) != NULL) {
        struct smtp_job *job = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&job);
        job_end(job, code);
    }
}

static void job_set_options(struct smtp_job *job, const char *to)
{
    const struct smtp *smtp = job->smtp;
    const struct settings_notifier *s = smtp->settings;
    CURL *easy = job->easy;
    char from[ADDRESS_BYTES_MAX + 3], rcpt[ADDRESS_BYTES_MAX + 3];

    (void)snprintf(from, sizeof from, "<%s>", smtp->from);
    (void)snprintf(rcpt, sizeof rcpt, "<%s>", to);
    job->to = curl_slist_append(NULL, rcpt);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->error);
    curl_easy_setopt(easy, CURLOPT_URL, s->smtp_url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(s->smtp_timeout_us / US_PER_MS / 2));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(s->smtp_timeout_us / US_PER_MS));
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_USE_SSL, smtp->use_ssl);
    if (s->smtp_user[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_USERNAME, s->smtp_user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, smtp->password);
    }
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, job->to);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, smtp_on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, job);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, smtp_on_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, job);
}

void smtp_send(struct smtp *smtp, const char *to, struct span bytes, smtp_end_fn *end_fn, void *arg)
{
    struct smtp_job *job = mem_new(1, sizeof *job);

    job->smtp = smtp;
    job->next = smtp->jobs;
    if (job->next != NULL)
        job->next->previous = job;
    smtp->jobs = job;
    job->bytes = mem_dup(bytes.p, bytes.len);
    job->len = bytes.len;
    job->end_fn = end_fn;
    job->arg = arg;
    job->easy = curl_easy_init();
    job_set_options(job, to);
    smtp->in_flight++;
    breaker_on_probe(&smtp->breaker, clock_mono_us());
    (void)curl_multi_add_handle(smtp->multi, job->easy);
}

/* ---- life ---- */

int smtp_room(const struct smtp *smtp)
{
    int allowed = breaker_allows(&smtp->breaker, clock_mono_us(), SMTP_IN_FLIGHT_MAX);
    return allowed > smtp->in_flight ? allowed - smtp->in_flight : 0;
}

bool smtp_is_open(const struct smtp *smtp)
{
    return smtp->breaker.open;
}

int smtp_in_flight(const struct smtp *smtp)
{
    return smtp->in_flight;
}

static bool smtp_read_password(struct smtp *smtp, struct err *err)
{
    const char *path = smtp->settings->smtp_password_file;
    struct stat facts;

    if (smtp->settings->smtp_user[0] == '\0')
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return err_set(err, ERR_IO, "smtp_password_file: cannot read %s: %s", path, strerror(why));
    }
    ssize_t n = read(fd, smtp->password, PASSWORD_BYTES_MAX);
    close(fd);
    if (facts.st_mode & (S_IRWXG | S_IRWXO))
        return err_set(err, ERR_INVALID, "smtp_password_file: %s may be read by others: chmod 600", path);
    if (n <= 0)
        return err_set(err, ERR_INVALID, "smtp_password_file: %s is empty", path);
    smtp->password[strcspn(smtp->password, "\r\n")] = '\0';
    return true;
}

static long smtp_choose_tls(const struct settings_notifier *s)
{
    if (strncmp(s->smtp_url, "smtps://", 8) == 0)
        return (long)CURLUSESSL_ALL;
    if (s->smtp_tls[0] == '\0')
        return smtp_url_is_loopback(s->smtp_url) ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL;
    return strcmp(s->smtp_tls, "none") == 0 ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL;
}

bool smtp_new(zloop_t *loop, const struct settings_notifier *settings, struct smtp **ret_smtp,
              struct err *err)
{
    struct smtp *smtp = mem_new(1, sizeof *smtp);

    smtp->loop = loop;
    smtp->settings = settings;
    smtp->timer = -1;
    smtp->use_ssl = smtp_choose_tls(settings);
    if (!address_bare(settings->mail_from, smtp->from, err) || !smtp_read_password(smtp, err)) {
        free(smtp);
        return false;
    }
    smtp->multi = curl_multi_init();
    curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETFUNCTION, smtp_on_want);
    curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETDATA, smtp);
    curl_multi_setopt(smtp->multi, CURLMOPT_TIMERFUNCTION, smtp_on_want_timer);
    curl_multi_setopt(smtp->multi, CURLMOPT_TIMERDATA, smtp);
    curl_multi_setopt(smtp->multi, CURLMOPT_MAXCONNECTS, (long)SMTP_IN_FLIGHT_MAX);
    curl_multi_setopt(smtp->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)SMTP_IN_FLIGHT_MAX);
    *ret_smtp = smtp;
    return true;
}

void smtp_free(struct smtp *smtp)
{
    if (smtp == NULL)
        return;
    while (smtp->jobs != NULL)
        job_free(smtp->jobs);
    (void)curl_multi_cleanup(smtp->multi);
    if (smtp->timer >= 0)
        zloop_timer_end(smtp->loop, smtp->timer);
    free(smtp);
}
