/* webhooks.yaml: whose the endpoints are. All of it may be left out. */
#include "address.h"
#include "process_internal.h"

#include <string.h>

enum { URL_BYTES_MAX = 480 };

static const char *const file_keys[] = {"endpoints"};
static const char *const endpoint_keys[] = {"url", "owner"};

static bool load_url(struct load *load, const struct yaml_node *node, struct process_endpoint *endpoint)
{
    const char *text = NULL;

    if (!yaml_node_text(node, "url", URL_BYTES_MAX, &text, load->faults))
        return false;
    bool is_url = strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
    for (const char *p = text; *p != '\0'; p++)
        is_url = is_url && *p > ' ' && *p <= '~';
    if (!is_url || strpbrk(text, "@#?<>\"\\") != NULL || strlen(strstr(text, "://")) < 4)
        return faults_add(load->faults, node->place,
                          "url: \"%s\" is not allowed, want the beginning of a URL, as https://HOST/PATH",
                          text);
    endpoint->url = process_text(load->process, text);
    return true;
}

/* person:NAME, team:NAME or an address of e-mail. */
static bool load_owner(struct load *load, const struct yaml_node *node, struct process_endpoint *endpoint)
{
    const char *text = NULL;
    struct err err;

    if (!yaml_node_text(node, "owner", ADDRESS_BYTES_MAX, &text, load->faults))
        return false;
    bool is_person = strncmp(text, "person:", 7) == 0, is_team = strncmp(text, "team:", 5) == 0;
    if (is_person || is_team) {
        endpoint->owner = (struct people_target){is_person ? TARGET_PERSON : TARGET_TEAM,
                                                 process_text(load->process, strchr(text, ':') + 1)};
        return load_target_known(load, node, "owner", &endpoint->owner);
    }
    if (!address_check(text, &err))
        (void)faults_add(&load->process->refusals, node->place,
                         "owner: \"%s\" is not allowed, want person:NAME, team:NAME or name@host: %s", text,
                         err.msg);
    endpoint->email = process_text(load->process, text);
    return true;
}

static bool load_endpoint(struct load *load, const struct yaml_node *map, struct process_endpoint *endpoint)
{
    const struct yaml_node *url = yaml_node_find(map, "url"), *owner = yaml_node_find(map, "owner");

    if (!load_is_map(load, map, "endpoints", "{url: https://hooks.example.com/, owner: team:noc}"))
        return false;
    bool ok = yaml_node_check_keys(map, "endpoints", endpoint_keys, 2, load->faults);
    if (url == NULL || owner == NULL)
        return faults_add(load->faults, map->place,
                          "endpoints: want {url: https://HOST/, owner: person:NAME, team:NAME or name@host}");
    endpoint->place = map->place;
    ok = load_url(load, url, endpoint) && ok;
    return load_owner(load, owner, endpoint) && ok;
}

bool load_webhooks(struct load *load, const struct yaml_node *root)
{
    struct process_notify *notify = &load->process->notify;
    const struct yaml_node *list = yaml_node_find(root, "endpoints");
    bool ok = true;

    if (root == NULL || yaml_node_is_null(root))
        return true;
    if (!load_is_map(load, root, "webhooks.yaml", "{endpoints: […]}"))
        return false;
    ok = yaml_node_check_keys(root, "webhooks.yaml", file_keys, 1, load->faults);
    if (list == NULL)
        return ok;
    if (!load_is_list(load, list, "endpoints", "[{url: https://hooks.example.com/, owner: team:noc}]"))
        return false;
    if (!load_at_most(load, list, "endpoints", ENDPOINTS_MAX))
        return false;
    notify->endpoints = process_alloc(load->process, list->count, sizeof *notify->endpoints);
    for (size_t i = 0; i < list->count; i++) {
        struct process_endpoint *endpoint = &notify->endpoints[notify->endpoint_count];
        if (!load_endpoint(load, list->items[i], endpoint)) {
            ok = false;
            continue;
        }
        for (size_t k = 0; k < notify->endpoint_count; k++)
            if (strcmp(notify->endpoints[k].url, endpoint->url) == 0)
                ok = faults_add(load->faults, endpoint->place, "url: \"%s\" is given twice", endpoint->url);
        notify->endpoint_count++;
    }
    return ok;
}

const struct process_endpoint *process_endpoint_find(const struct process_notify *notify, const char *url)
{
    const struct process_endpoint *best = NULL;

    for (size_t i = 0; i < notify->endpoint_count; i++) {
        const struct process_endpoint *one = &notify->endpoints[i];
        if (strncmp(url, one->url, strlen(one->url)) == 0 &&
            (best == NULL || strlen(one->url) > strlen(best->url)))
            best = one;
    }
    return best;
}
