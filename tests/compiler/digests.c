/* SPDX-License-Identifier: Apache-2.0
 *
 * digests MODULE.wasm: the functions that may be of the C library, by compiler/library.h: number, name, SHA-256 as in
 * library.def, and which of the known functions it is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "compiler/library.h"
#include "wasmkeep/wasmkeep.h"

static const char *const names[] = { "unknown", "memcpy", "memmove", "memset", "memcmp", "strlen" };

static size_t read_file(const char *path, uint8_t *bytes, size_t room)
{
	FILE *file = fopen(path, "rb");
	size_t size = file ? fread(bytes, 1, room, file) : 0;

	if (file)
		fclose(file);
	return size;
}

int main(int argc, char **argv)
{
	static uint8_t bytes[16 << 20];
	size_t size = argc == 2 ? read_file(argv[1], bytes, sizeof bytes) : 0;
	struct wk_module *module = NULL;
	struct wk_keep *keep = NULL;
	struct wk_report report;
	uint8_t digest[32];

	wk_report_clear(&report);
	if (wk_keep_new(NULL, &keep) != WK_OK || wk_module_load(keep, bytes, size, WK_LOAD_COPY, &report, &module) != WK_OK) {
		fprintf(stderr, "digests: %s\n", report.text);
		return 1;
	}
	for (uint32_t i = 0; i < module->func_count; i++) {
		struct wk_span name = wk_module_function_name(module, i);

		if (!wk_library_digest(module, i, digest))
			continue;
		printf("%u %.*s", i, (int)name.size, (const char *)name.data);
		for (int byte = 0; byte < 16; byte++)
			printf("%s0x%02x", byte == 0 ? " " : ", ", digest[byte]);
		printf(" %s\n", names[wk_library_find(module, i)]);
	}
	wk_module_release(module);
	wk_keep_delete(keep);
	return 0;
}
