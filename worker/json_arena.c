/* Memory for jansson; see json_arena.h. */
#include "json_arena.h"

#include <stdlib.h>

#include <jansson.h>

enum { BLOCK_BYTES = 1 << 20, ALIGN = 16 };

/* The newest block is cut; older ones are full, and go with the next reset. */
struct block {
    struct block *older;
    size_t used, size;
    _Alignas(ALIGN) char bytes[];
};

static struct block *arena;

static void *arena_take(size_t size)
{
    size_t wanted = (size + ALIGN - 1) / ALIGN * ALIGN;

    if (arena == NULL || arena->size - arena->used < wanted) {
        size_t room = arena == NULL ? BLOCK_BYTES : 2 * arena->size;
        room = room < wanted ? wanted : room;
        struct block *block = malloc(sizeof *block + room);
        if (block == NULL)
            return NULL;
        *block = (struct block){.older = arena, .size = room};
        arena = block;
    }
    void *ret = arena->bytes + arena->used;
    arena->used += wanted;
    return ret;
}

static void arena_leave(void *memory)
{
    (void)memory;
}

static void arena_drop(struct block *block)
{
    while (block != NULL) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
}

void json_arena_open(void)
{
    json_set_alloc_funcs(arena_take, arena_leave);
}

void json_arena_reset(void)
{
    if (arena == NULL)
        return;
    arena_drop(arena->older);
    arena->older = NULL;
    arena->used = 0;
}

void json_arena_close(void)
{
    json_set_alloc_funcs(malloc, free);
    arena_drop(arena);
    arena = NULL;
}
