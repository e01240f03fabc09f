/* Calls that are refused because a safer one exists: an unbounded copy, a hidden static, no error.
 * Included on the command line before every file of ours (Makefile), so that a use fails to compile. */
#ifndef DOCKET_BANNED_H
#define DOCKET_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof gmtime localtime

#endif
