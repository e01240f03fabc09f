/* The customers' records as far as they were seen; see customers.h. */
#include "customers.h"
#include "mem.h"

#include <stdlib.h>

#include <uthash.h>

struct customer {
    char *id;
    int64_t rev;
    char *record;
    size_t len;
    UT_hash_handle hh; /* in the order of their coming: the first is the oldest */
};

struct customers {
    struct customer *known;
    size_t most;
};

struct customers *customers_new(size_t most)
{
    struct customers *customers = mem_new(1, sizeof *customers);
    customers->most = most;
    return customers;
}

static void customer_free(struct customers *customers, struct customer *customer)
{
    HASH_DEL(customers->known, customer);
    free(customer->id);
    free(customer->record);
    free(customer);
}

void customers_forget(struct customers *customers)
{
    struct customer *customer, *next;
    HASH_ITER(hh, customers->known, customer, next)
    customer_free(customers, customer);
}

void customers_free(struct customers *customers)
{
    if (customers == NULL)
        return;
    customers_forget(customers);
    free(customers);
}

static struct customer *customers_find(const struct customers *customers, struct span id)
{
    struct customer *customer;
    HASH_FIND(hh, customers->known, id.p, id.len, customer);
    return customer;
}

int64_t customers_rev(const struct customers *customers, struct span id)
{
    const struct customer *customer = customers_find(customers, id);
    return customer == NULL ? 0 : customer->rev;
}

struct span customers_record(const struct customers *customers, struct span id)
{
    const struct customer *customer = customers_find(customers, id);
    return customer == NULL ? SPAN_NONE : (struct span){customer->record, customer->len};
}

void customers_learn(struct customers *customers, struct span id, int64_t rev, struct span record)
{
    struct customer *customer = customers_find(customers, id);

    if (customer != NULL && customer->rev >= rev)
        return;
    if (customer != NULL)
        customer_free(customers, customer);
    if (HASH_COUNT(customers->known) >= customers->most)
        customer_free(customers, customers->known);
    customer = mem_new(1, sizeof *customer);
    customer->id = mem_strndup(id.p, id.len);
    customer->rev = rev;
    customer->record = mem_dup(record.p, record.len);
    customer->len = record.len;
    HASH_ADD_KEYPTR(hh, customers->known, customer->id, id.len, customer);
}
