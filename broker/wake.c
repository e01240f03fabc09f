/* Classes of wakes; see wake.h. */
#include "wake.h"

const char *const wake_class_names[WAKE_CLASSES] = {"p1", "untriaged", "p2", "p3", "p4"};

enum wake_class wake_class_of(int priority)
{
    static const enum wake_class classes[] = {WAKE_UNTRIAGED, WAKE_P1, WAKE_P2, WAKE_P3, WAKE_P4};
    return priority >= 0 && priority <= 4 ? classes[priority] : WAKE_UNTRIAGED;
}
