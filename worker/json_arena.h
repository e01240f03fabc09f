/* Memory for jansson in a program that reads one JSON text after another: cut off a block, given back all at once.
 *
 * jansson takes its memory from one place for the whole process, without an argument to tell by, so there is one arena. For offline
 * tools of one thread; nothing that jansson made may live across json_arena_reset. */
#ifndef DOCKET_JSON_ARENA_H
#define DOCKET_JSON_ARENA_H

void json_arena_open(void);
void json_arena_reset(void); /* before each text */
void json_arena_close(void); /* jansson takes memory of its own again */

#endif
