/* SPDX-License-Identifier: Apache-2.0
 * Modules from files. */
#ifndef WK_CLI_FILE_H
#define WK_CLI_FILE_H

#include <wasmkeep/wasmkeep.h>

#include "base/span.h"

/* Reads a whole file into bytes of the keep (wk_module_bytes): its limits hold for them. "-" is standard input. On
 * success the caller owns bytes->data, for WK_LOAD_BORROW and wk_file_free. A file that does not start like a module is
 * refused after its first bytes, by what it is. */
WK_NODISCARD enum wk_status wk_file_read(const char *path, struct wk_keep *keep, struct wk_report *report,
	struct wk_span *bytes);
/* The same for a file of any kind. */
WK_NODISCARD enum wk_status wk_file_read_image(const char *path, struct wk_keep *keep, struct wk_report *report,
	struct wk_span *bytes);
void wk_file_free(struct wk_keep *keep, struct wk_span *bytes);

#endif
