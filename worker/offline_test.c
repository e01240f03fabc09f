/* docket-worker test; see offline.h. */
#include "offline.h"

#include "cases.h"

#include <string.h>

enum { STATUS_REFUSED = 1, STATUS_USAGE = 2 };

int offline_test(int argc, char **argv)
{
    const char *dir = NULL, *zoneinfo = OFFLINE_ZONEINFO, *only = NULL;
    struct engine *engine = NULL;
    struct cases_count count = {0};
    struct faults faults = {0};

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--zoneinfo") == 0 && i + 1 < argc)
            zoneinfo = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (argv[i][0] == '-' || dir != NULL)
            return offline_usage("test DIR [--only TEXT]");
        else
            dir = argv[i];
    }
    if (dir == NULL)
        return offline_usage("test DIR [--only TEXT]");
    if (!offline_engine_open(dir, zoneinfo, &engine))
        return STATUS_REFUSED;
    bool ok = cases_run(engine, only, stdout, &count, &faults);
    (void)fflush(stdout);
    faults_sort(&faults);
    faults_print(stderr, "", &faults);
    printf("%zu cases, %zu passed, %zu failed\n", count.passed + count.failed, count.passed, count.failed);
    if (count.passed + count.failed == 0 && ok) {
        (void)fprintf(stderr, "docket-worker: %s has no cases%s: write tests/*.yaml\n", dir,
                      only == NULL ? "" : " of that name");
        ok = false;
    }
    faults_clear(&faults);
    engine_free(engine);
    return ok && count.failed == 0 ? 0 : STATUS_REFUSED;
}
