/* SPDX-License-Identifier: Apache-2.0
 *
 * A word that Linux marks when this process dies, however it dies. A thread that is inside of the TEE cannot be killed: a
 * guest that loops would run on for ever, with its memory and a process that nobody gets rid of, if the guest did not learn
 * that there is nobody any more who wants it.
 */
#ifndef WK_CLIENT_LIFELINE_H
#define WK_CLIENT_LIFELINE_H

#include <stdint.h>

struct wk_lifeline;

/* Sets *word to some value without WK_WINDOW_STOP; this bit of it is set by the kernel when the process dies, and at the
 * latest by wk_lifeline_end. Others may set and clear the bit meanwhile, nothing else. NULL: no memory, or no thread.
 * `word` is borrowed. */
struct wk_lifeline *wk_lifeline_new(uint32_t *word);
/* NULL is allowed. */
void wk_lifeline_end(struct wk_lifeline *lifeline);

#endif
