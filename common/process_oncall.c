/* oncall.yaml: schedules of layers, each a rotation of people or an iCalendar file. Zones and the files' events are
 * looked into where a schedule is used (oncall.h). */
#include "process_internal.h"

#include <string.h>

enum { EVERY_MAX = 1000 };

static const char *const file_keys[] = {"schedules"};
static const char *const schedule_keys[] = {"zone", "layers", "gaps"};
static const char *const layer_keys[] = {"rotation", "start", "handover", "people",
                                         "hours",    "zone",  "import"};

const struct process_schedule *process_schedule_find(const struct process_people *people, const char *name)
{
    for (size_t i = 0; i < people->schedule_count; i++)
        if (strcmp(people->schedules[i].name, name) == 0)
            return &people->schedules[i];
    return NULL;
}

/* "daily", "weekly", "monthly", or of its own: "12h", "3d", "2w". */
static bool rotation_parse(const char *text, struct process_layer *ret)
{
    static const struct {
        const char *word;
        enum process_rotation unit;
    } words[] = {{"hourly", ROTATE_HOURS},
                 {"daily", ROTATE_DAYS},
                 {"weekly", ROTATE_WEEKS},
                 {"monthly", ROTATE_MONTHS}};
    static const char letters[] = "hdw"; /* in the order of enum process_rotation */
    char digits[8];
    size_t len = strspn(text, "0123456789");

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i].word) == 0) {
            ret->unit = words[i].unit;
            ret->every = 1;
            return true;
        }
    const char *letter = text[len] != '\0' ? strchr(letters, text[len]) : NULL;
    if (len == 0 || len >= sizeof digits || letter == NULL || text[len + 1] != '\0')
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    ret->unit = (enum process_rotation)(letter - letters);
    return decimal_parse(digits, &ret->every) && ret->every >= 1 && ret->every <= EVERY_MAX;
}

static bool load_rotation(struct load *load, const struct yaml_node *node, struct process_layer *layer)
{
    if (node->kind == NODE_SCALAR && rotation_parse(node->text, layer))
        return true;
    return faults_add(load->faults, node->place,
                      "rotation: \"%s\" is not allowed, want hourly, daily, weekly, monthly, or 12h, 3d, 2w "
                      "(1 to %d of h, d, w)",
                      node->text, EVERY_MAX);
}

/* A rotation needs a day zero and people; who is first then has the first turn. */
static bool load_turns(struct load *load, const struct yaml_node *map, struct process_layer *layer)
{
    const struct yaml_node *rotation = yaml_node_find(map, "rotation"), *start = yaml_node_find(map, "start"),
                           *people = yaml_node_find(map, "people"),
                           *handover = yaml_node_find(map, "handover");
    bool ok = true;

    if (rotation == NULL || start == NULL || people == NULL)
        return faults_add(load->faults, map->place,
                          "layers: a layer is rotation, start (its day zero) and people; or import");
    ok = load_rotation(load, rotation, layer);
    ok = load_date(load, start, "start", &layer->start_date) && ok;
    if (handover != NULL)
        ok = load_time(load, handover, "handover", &layer->handover_s) && ok;
    ok = load_name_list(load, people, "people", load_person, &layer->people) && ok;
    if (ok && layer->people.count == 0)
        ok = faults_add(load->faults, people->place, "people: is empty, want who takes turns as [ada, ben]");
    return ok;
}

static bool load_import(struct load *load, const struct yaml_node *map, const struct yaml_node *node,
                        struct process_layer *layer)
{
    const struct process_file *file =
        node->kind == NODE_SCALAR ? process_files_find(&load->process->files, node->text) : NULL;

    if (yaml_node_find(map, "rotation") != NULL || yaml_node_find(map, "people") != NULL ||
        yaml_node_find(map, "start") != NULL || yaml_node_find(map, "handover") != NULL)
        return faults_add(
            load->faults, node->place,
            "import: stands alone, the file says who is on call when; only hours and zone may go "
            "with it");
    if (file == NULL)
        return faults_add(load->faults, node->place,
                          "import: \"%s\" is no file of this process, want oncall/NAME.ics", node->text);
    layer->import = file->name;
    return true;
}

static bool load_layer(struct load *load, const struct yaml_node *map, const char *zone,
                       struct process_layer *layer)
{
    const struct yaml_node *node = NULL;

    layer->place = map->place;
    layer->zone = zone;
    if (!load_is_map(load, map, "layers", "{rotation: weekly, start: 2026-01-05, people: [ada, ben]}"))
        return false;
    bool ok = yaml_node_check_keys(map, "layers", layer_keys, sizeof layer_keys / sizeof layer_keys[0],
                                   load->faults);
    if ((node = yaml_node_find(map, "zone")) != NULL)
        ok = load_zone_name(load, node, &layer->zone) && ok;
    if ((node = yaml_node_find(map, "hours")) != NULL) {
        layer->week = process_alloc(load->process, 7, sizeof *layer->week);
        ok = load_week(load, node, layer->week) && ok;
    }
    if ((node = yaml_node_find(map, "import")) != NULL)
        return load_import(load, map, node, layer) && ok;
    return load_turns(load, map, layer) && ok;
}

static bool load_layers(struct load *load, const struct yaml_node *list, struct process_schedule *schedule)
{
    bool ok =
        load_is_list(load, list, "layers", "[{rotation: weekly, start: 2026-01-05, people: [ada, ben]}]");

    if (!ok)
        return false;
    if (list->count == 0 || list->count > LAYERS_MAX)
        return faults_add(load->faults, list->place, "layers: has %zu entries, want 1 to %d", list->count,
                          LAYERS_MAX);
    schedule->layers = process_alloc(load->process, list->count, sizeof *schedule->layers);
    for (size_t i = 0; i < list->count; i++)
        ok = load_layer(load, list->items[i], schedule->zone, &schedule->layers[schedule->layer_count++]) &&
             ok;
    return ok;
}

static bool load_schedule(struct load *load, const struct yaml_node *map, struct process_schedule *schedule)
{
    static const char *const gaps[] = {"refused", "allowed"};
    const struct yaml_node *node = NULL;
    size_t choice = 0;

    if (!load_is_map(load, map, schedule->name,
                     "{layers: [{rotation: weekly, start: 2026-01-05, people: [ada, ben]}]}"))
        return false;
    bool ok = yaml_node_check_keys(map, schedule->name, schedule_keys, 3, load->faults);
    schedule->zone = load->process->policy.zone;
    if ((node = yaml_node_find(map, "zone")) != NULL)
        ok = load_zone_name(load, node, &schedule->zone) && ok;
    if ((node = yaml_node_find(map, "gaps")) != NULL)
        ok = load_choice(load, node, "gaps", gaps, 2, &choice) && ok;
    schedule->may_have_gaps = choice == 1;
    if ((node = yaml_node_find(map, "layers")) == NULL)
        return faults_add(load->faults, schedule->place, "%s: has no layers", schedule->name);
    return load_layers(load, node, schedule) && ok;
}

bool load_oncall(struct load *load, const struct yaml_node *root)
{
    struct process_people *people = &load->process->people;

    if (yaml_node_is_null(root))
        return true;
    if (!load_is_map(load, root, "the file", "{schedules: {…}}"))
        return false;
    bool ok = yaml_node_check_keys(root, "oncall.yaml", file_keys, 1, load->faults);
    const struct yaml_node *map = yaml_node_find(root, "schedules");
    if (yaml_node_is_null(map))
        return ok;
    if (!load_is_map(load, map, "schedules", "{primary: {layers: […]}}"))
        return false;
    if (!load_at_most(load, map, "schedules", SCHEDULES_MAX))
        return false;
    people->schedules = process_alloc(load->process, map->count, sizeof *people->schedules);
    for (size_t i = 0; i < map->count; i++) {
        struct process_schedule *schedule = &people->schedules[people->schedule_count];
        schedule->place = map->keys[i]->place;
        if (!load_name(load, map->keys[i], "a schedule", &schedule->name)) {
            ok = false;
            continue;
        }
        people->schedule_count++;
        ok = load_schedule(load, map->items[i], schedule) && ok;
    }
    return ok;
}
