/* libcurl on the loop; see curl_loop.h. */
#include "curl_loop.h"
#include "mem.h"

#include <stdlib.h>

struct curl_loop {
    zloop_t *loop;
    CURLM *multi;
    int timer; /* -1: none */
};

static void collect(struct curl_loop *curl)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(curl->multi, &left)) != NULL) {
        struct curl_transfer *transfer = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        if (!transfer->keep)
            (void)curl_multi_remove_handle(curl->multi, transfer->easy);
        transfer->end_fn(transfer->arg, code);
    }
}

static int on_socket(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    struct curl_loop *curl = arg;
    int running, mask = 0;
    (void)loop;

    if (item->revents & ZMQ_POLLIN)
        mask |= CURL_CSELECT_IN;
    if (item->revents & ZMQ_POLLOUT)
        mask |= CURL_CSELECT_OUT;
    if (item->revents & ZMQ_POLLERR)
        mask |= CURL_CSELECT_ERR;
    (void)curl_multi_socket_action(curl->multi, item->fd, mask, &running);
    collect(curl);
    return 0;
}

static int on_timer(zloop_t *loop, int timer, void *arg)
{
    struct curl_loop *curl = arg;
    int running;
    (void)loop, (void)timer;

    curl->timer = -1;
    (void)curl_multi_socket_action(curl->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(curl);
    return 0;
}

/* curl says which descriptors it wants watched. */
static int on_want(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct curl_loop *curl = arg;
    zmq_pollitem_t item = {.fd = fd};
    (void)easy, (void)socket_arg;

    zloop_poller_end(curl->loop, &item);
    if (what == CURL_POLL_REMOVE)
        return 0;
    item.events = (short)((what & CURL_POLL_IN ? ZMQ_POLLIN : 0) | (what & CURL_POLL_OUT ? ZMQ_POLLOUT : 0));
    (void)zloop_poller(curl->loop, &item, on_socket, curl);
    zloop_poller_set_tolerant(curl->loop, &item);
    return 0;
}

static int on_want_timer(CURLM *multi, long wait_ms, void *arg)
{
    struct curl_loop *curl = arg;
    (void)multi;

    if (curl->timer >= 0)
        zloop_timer_end(curl->loop, curl->timer);
    curl->timer = wait_ms < 0 ? -1 : zloop_timer(curl->loop, (size_t)wait_ms, 1, on_timer, curl);
    return 0;
}

void curl_loop_add(struct curl_loop *curl, struct curl_transfer *transfer)
{
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(transfer->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer->easy, CURLOPT_PROXY, "");
    (void)curl_multi_add_handle(curl->multi, transfer->easy);
}

void curl_loop_drop(struct curl_loop *curl, struct curl_transfer *transfer)
{
    (void)curl_multi_remove_handle(curl->multi, transfer->easy);
}

struct curl_loop *curl_loop_new(zloop_t *loop, int connections_max)
{
    struct curl_loop *curl = mem_new(1, sizeof *curl);

    curl->loop = loop;
    curl->timer = -1;
    curl->multi = curl_multi_init();
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, on_want);
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, on_want_timer);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_MAXCONNECTS, (long)connections_max);
    curl_multi_setopt(curl->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections_max);
    return curl;
}

void curl_loop_free(struct curl_loop *curl)
{
    if (curl == NULL)
        return;
    (void)curl_multi_cleanup(curl->multi);
    if (curl->timer >= 0)
        zloop_timer_end(curl->loop, curl->timer);
    free(curl);
}
