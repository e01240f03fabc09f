/* Loads a process: which file is what, and the parts in the order in which they need one another. */
#include "process_internal.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum file_role {
    FILE_UNKNOWN,
    FILE_POLICY,
    FILE_CALENDARS,
    FILE_PACKAGES,
    FILE_RULES,
    FILE_YAML,
    FILE_OTHER
};

struct file_row {
    const char *head, *tail; /* tail "": the whole name is head */
    enum file_role role;
};

static const struct file_row file_rows[] = {
    {"process.yaml", "", FILE_POLICY},    {"calendars.yaml", "", FILE_CALENDARS},
    {"packages.yaml", "", FILE_PACKAGES}, {"rules/", ".yaml", FILE_RULES},
    {"staff.yaml", "", FILE_YAML},        {"escalation.yaml", "", FILE_YAML},
    {"notify.yaml", "", FILE_YAML},       {"oncall.yaml", "", FILE_YAML},
    {"webhooks.yaml", "", FILE_YAML},     {"tests/", ".yaml", FILE_YAML},
    {"templates/", NULL, FILE_OTHER},     {"holidays/", ".ics", FILE_OTHER},
    {"README.md", "", FILE_OTHER},        {"oncall/", ".ics", FILE_OTHER},
};

static enum file_role file_role(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof file_rows / sizeof file_rows[0]; i++) {
        const struct file_row *row = &file_rows[i];
        size_t head = strlen(row->head), tail = row->tail != NULL ? strlen(row->tail) : 0;
        if (row->tail != NULL && tail == 0
                ? strcmp(name, row->head) == 0
                : len > head + tail && strncmp(name, row->head, head) == 0 &&
                      strcmp(name + len - tail, row->tail != NULL ? row->tail : "") == 0)
            return row->role;
    }
    return FILE_UNKNOWN;
}

/* Reads every YAML file; roots[i] belongs to files->items[i], NULL when it is not YAML or at fault. */
static void load_roots(struct load *load, struct yaml_node **roots)
{
    const struct process_files *files = &load->process->files;
    for (size_t i = 0; i < files->count; i++) {
        const struct process_file *file = &files->items[i];
        enum file_role role = file_role(file->name);
        if (role == FILE_UNKNOWN)
            (void)faults_add(
                load->faults, (struct fault_place){.file = file->name},
                "is no file of a process, want process.yaml, calendars.yaml, packages.yaml, staff.yaml, "
                "escalation.yaml, oncall.yaml, notify.yaml, webhooks.yaml, rules/*.yaml, tests/*.yaml, "
                "holidays/*.ics, "
                "oncall/*.ics, templates/*");
        if (role != FILE_UNKNOWN && role != FILE_OTHER)
            (void)!yaml_node_parse(file->name, file->bytes, file->len, &roots[i], load->faults);
    }
}

static const struct yaml_node *root_of(const struct process_files *files, struct yaml_node **roots,
                                       const char *name)
{
    const struct process_file *file = process_files_find(files, name);
    return file == NULL ? NULL : roots[file - files->items];
}

static void load_missing(struct load *load)
{
    static const char *const needed[] = {"process.yaml", "calendars.yaml", "packages.yaml"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (process_files_find(&load->process->files, needed[i]) == NULL)
            (void)faults_add(load->faults, (struct fault_place){.file = needed[i]}, "is missing");
}

/* Whether names of a file may be looked up: it was read, or there is none. */
static bool is_readable(const struct process_files *files, struct yaml_node **roots, const char *name)
{
    return process_files_find(files, name) == NULL || root_of(files, roots, name) != NULL;
}

/* staff.yaml, oncall.yaml, escalation.yaml: each names what stands in the ones before. */
static void load_people_parts(struct load *load, struct yaml_node **roots)
{
    const struct process_files *files = &load->process->files;
    const struct yaml_node *staff = root_of(files, roots, "staff.yaml");
    const struct yaml_node *oncall = root_of(files, roots, "oncall.yaml");
    const struct yaml_node *escalation = root_of(files, roots, "escalation.yaml");

    (void)load_staff(load, staff);
    if (is_readable(files, roots, "staff.yaml"))
        (void)load_oncall(load, oncall);
    if (is_readable(files, roots, "staff.yaml") && is_readable(files, roots, "oncall.yaml"))
        (void)load_escalation(load, escalation);
}

static void load_parts(struct load *load, struct yaml_node **roots)
{
    const struct process_files *files = &load->process->files;
    const struct yaml_node *policy = root_of(files, roots, "process.yaml");
    const struct yaml_node *calendars = root_of(files, roots, "calendars.yaml");
    const struct yaml_node *packages = root_of(files, roots, "packages.yaml");

    load_missing(load);
    load->policy_unread = policy == NULL;
    load->calendars_unread = calendars == NULL;
    load->packages_unread = packages == NULL;
    if (policy != NULL)
        (void)load_policy(load, policy);
    if (calendars != NULL)
        (void)load_calendars(load, calendars);
    if (packages != NULL)
        (void)load_packages(load, packages, policy);
    load_people_parts(load, roots);
    (void)load_notify(load, root_of(files, roots, "notify.yaml"));
    if (is_readable(files, roots, "staff.yaml"))
        (void)load_webhooks(load, root_of(files, roots, "webhooks.yaml"));
    load_templates(load);
    for (size_t i = 0; i < files->count; i++)
        if (file_role(files->items[i].name) == FILE_RULES && roots[i] != NULL)
            (void)load_rules(load, roots[i]);
    (void)load_rules_end(load);
    if (load->faults->count == 0)
        load_rules_warn(load);
}

bool process_load_files(const struct process_files *files, struct process **ret_process,
                        struct faults *faults)
{
    struct process *process = process_new();
    struct load load = {.process = process, .faults = faults};
    struct err err = {ERR_NONE, "", ""};
    bool ok = true;

    for (size_t i = 0; ok && i < files->count; i++)
        ok = process_files_add(&process->files, span_of(files->items[i].name),
                               (struct span){files->items[i].bytes, files->items[i].len}, &err);
    if (!ok)
        (void)faults_add(faults, (struct fault_place){.file = "process"}, "%s", err.msg);
    if (ok) {
        struct yaml_node **roots = mem_new(files->count, sizeof *roots);
        load_roots(&load, roots);
        load_parts(&load, roots);
        for (size_t i = 0; i < files->count; i++)
            yaml_node_free(roots[i]);
        free(roots);
    }
    if (faults->count > 0)
        (void)!process_refuse(process, faults);
    faults_sort(faults);
    if (faults->count > 0) {
        process_free(process);
        return false;
    }
    process_files_hash(&process->files, process->hash);
    *ret_process = process;
    return true;
}

bool process_refuse(struct process *process, struct faults *faults)
{
    bool ok = process->refusals.count == 0;

    faults_take(faults, &process->refusals);
    faults_sort(faults);
    return ok;
}

bool process_load_new(const struct process_files *files, struct process **ret_process, struct faults *faults)
{
    struct process *process = NULL;

    if (!process_load_files(files, &process, faults))
        return false;
    if (!process_refuse(process, faults)) {
        process_free(process);
        return false;
    }
    *ret_process = process;
    return true;
}

bool process_load_dir(const char *dir, struct process **ret_process, struct faults *faults)
{
    struct process_files files = {NULL, 0};
    struct err err = {ERR_NONE, "", ""};

    if (!process_files_read(dir, &files, &err))
        return faults_add(faults, (struct fault_place){.file = dir}, "%s", err.msg);
    bool ok = process_load_new(&files, ret_process, faults);
    process_files_clear(&files);
    return ok;
}
