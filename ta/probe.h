/* SPDX-License-Identifier: Apache-2.0
 * Measures what memory the TEE gives this Trusted Application. */
#ifndef WK_TA_PROBE_H
#define WK_TA_PROBE_H

#include "ta/protocol.h"

/* Does one step, and fills in its figures; `step` and `piece` are given. Everything is given back. */
void wk_ta_probe(struct wk_ta_probe *probe);

#endif
