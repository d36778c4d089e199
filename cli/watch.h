/* SPDX-License-Identifier: Apache-2.0
 * What ends a running guest from outside: a time limit and Ctrl-C. One watch at a time in a process. */
#ifndef WK_CLI_WATCH_H
#define WK_CLI_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum wk_watch_cause { WK_WATCH_NOTHING, WK_WATCH_TIMEOUT, WK_WATCH_SIGNAL };

/* Starts the clock: once `nanoseconds` are over, what is watched is interrupted, and so is the system
 * call it may be waiting in; should it still run a moment later, or should there be nothing yet, the process ends with
 * WK_EXIT_LIMIT and a message about `file`. false: no thread could be made. */
bool wk_watch_start(const char *file, uint64_t nanoseconds);
/* From here Ctrl-C and the clock call `interrupt`, which is safe in a signal handler, for what runs. A second Ctrl-C kills
 * the process. `elsewhere`: the guest runs in a TEE, and this thread waits in the kernel for it, where no signal handler
 * interrupts it. */
void wk_watch(void *target, void (*interrupt)(void *target), bool elsewhere);
/* Ends the watch; the target is not touched afterwards. Says what interrupted it, if anything did. Does nothing when
 * there is no watch. */
enum wk_watch_cause wk_watch_end(void);
/* Ends the process the way Ctrl-C ends others, so that a shell script that called it stops too. */
_Noreturn void wk_watch_die_of_signal(void);

#endif
