/* SPDX-License-Identifier: Apache-2.0
 * The two forms of `wasmkeep inspect`. */
#ifndef WK_CLI_INSPECT_H
#define WK_CLI_INSPECT_H

#include "image/image.h"
#include "types.h"

/* What both forms show. */
struct wk_inspect {
	const char *file;
	const struct wk_module *module;
	struct wk_types types;
	uint64_t code_bytes;        /* bodies of the functions defined here */
	uint64_t data_bytes;        /* contents of the data segments */
	const struct wk_image_seal *seal; /* of the image that the module is in; NULL: it is a file of its own */
};

void wk_inspect_print_text(const struct wk_inspect *inspect);
void wk_inspect_print_json(const struct wk_inspect *inspect);

/* "type", "code" ... of a section's id; "unknown" of an unknown one. */
const char *wk_inspect_section_name(uint8_t id);

#endif
