/* YAML as a tree of nodes that know where they were written.
 *
 * Built from libyaml's events. Takes the part of YAML that people write by hand and can foresee: maps, lists,
 * scalars. Refuses anchors, aliases, merge keys, tags, keys that are no scalars, doubled keys, NUL, bytes
 * that are not UTF-8, a second document, and what passes the limits below. A scalar is text: whether "12" is
 * a number is decided by who asks. */
#ifndef DOCKET_YAML_NODE_H
#define DOCKET_YAML_NODE_H

#include "buf.h"
#include "faults.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { YAML_DEPTH_MAX = 64, YAML_NODES_MAX = 100000, YAML_BYTES_MAX = 1024 * 1024 };

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct yaml_node {
    enum node_kind kind;
    bool quoted; /* scalars: written in quotes or as a block, so never a number, null or boolean */
    struct fault_place place; /* where it begins */
    char *text;               /* scalars: the value, without NUL inside; "" for the others */
    size_t len;
    size_t count;             /* lists and maps: entries */
    struct yaml_node **keys;  /* maps: scalars */
    struct yaml_node **items; /* lists: entries; maps: values */
};

/* Reads one document. One that is empty gives a scalar that is null (yaml_node_is_null).
 * in:  file      what faults call it; must outlive the tree
 * out: ret_root  the caller frees it with yaml_node_free; written on success, and when nothing is wrong but keys that are
 *                written twice, so that all other faults can be looked for as well
 *      faults    what was wrong is appended; true means that nothing was */
bool yaml_node_parse(const char *file, const void *bytes, size_t len, struct yaml_node **ret_root,
                     struct faults *faults) __attribute__((warn_unused_result));

void yaml_node_free(struct yaml_node *node); /* accepts NULL */

/* "a list", "a map", "text": for messages. */
const char *yaml_node_kind_name(const struct yaml_node *node);

/* Nothing, "~" or "null", not in quotes. NULL is null too. */
bool yaml_node_is_null(const struct yaml_node *node);

/* The value of a key; NULL when the map has none, or node is no map. */
const struct yaml_node *yaml_node_find(const struct yaml_node *map, const char *key);

/* Each reads one scalar or adds a fault that begins with `what`, the name people know it by.
 * int: decimal digits, perhaps a minus, no leading zeros, not in quotes. bool: true or false. */
bool yaml_node_int(const struct yaml_node *node, const char *what, int64_t least, int64_t most, int64_t *ret,
                   struct faults *faults) __attribute__((warn_unused_result));
bool yaml_node_bool(const struct yaml_node *node, const char *what, bool *ret, struct faults *faults)
    __attribute__((warn_unused_result));
/* Points into the node. Empty text and null are refused, lengths are bytes. */
bool yaml_node_text(const struct yaml_node *node, const char *what, size_t max, const char **ret,
                    struct faults *faults) __attribute__((warn_unused_result));

/* Adds a fault for each key of map that is not in names, with the nearest one suggested. */
bool yaml_node_check_keys(const struct yaml_node *map, const char *what, const char *const *names,
                          size_t count, struct faults *faults);

/* Digits without leading zeros, perhaps a minus; false for all else and what int64 cannot hold. */
bool decimal_parse(const char *text, int64_t *ret) __attribute__((warn_unused_result));

/* "2.5": the same with a point and digits behind it; together at most 15, as many as a double tells apart. */
bool decimal_fraction_parse(const char *text, double *ret) __attribute__((warn_unused_result));

#endif
