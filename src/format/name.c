/* SPDX-License-Identifier: Apache-2.0
 *
 * The name section (specification 7.4.1). It is for people only: whatever is wrong with it, the module stays as good as
 * without. So nothing of it is built into tables; the subsections are found once, and a name is searched for when a
 * trap or a listing wants one.
 */
#include "format/decoder.h"

static struct wk_reader reader_of(struct wk_span bytes)
{
	return (struct wk_reader){ bytes.data, bytes.data + bytes.size, bytes.data, NULL, WK_NO_FUNCTION };
}

void wk_decode_names(struct wk_module *module, struct wk_span contents)
{
	struct wk_reader reader;

	if (contents.size == 0)
		return;
	reader = reader_of(contents);
	while (wk_reader_left(&reader) != 0) {
		struct wk_span part = { NULL, 0 };
		uint8_t id = 0;
		uint32_t size = 0;

		if (wk_read_byte(&reader, &id) != WK_OK || wk_read_u32(&reader, &size) != WK_OK ||
			wk_read_bytes(&reader, size, &part) != WK_OK)
			return;
		if (id == 1) {
			module->name_functions = part;
		} else if (id == 0 && size != 0) {
			struct wk_reader name = reader_of(part);

			if (wk_read_name(&name, &module->name_module) != WK_OK)
				continue;
		}
	}
}

static struct wk_span name_from_section(const struct wk_module *module, uint32_t function)
{
	struct wk_reader reader;
	uint32_t count = 0;

	if (module->name_functions.size == 0)
		return wk_span(NULL, 0);
	reader = reader_of(module->name_functions);
	if (wk_read_u32(&reader, &count) != WK_OK)
		return wk_span(NULL, 0);
	while (count-- != 0) {
		struct wk_span name = { NULL, 0 };
		uint32_t index = 0;

		if (wk_read_u32(&reader, &index) != WK_OK || wk_read_name(&reader, &name) != WK_OK)
			break;
		if (index == function)
			return name;
	}
	return wk_span(NULL, 0);
}

struct wk_span wk_module_function_name(const struct wk_module *module, uint32_t function)
{
	struct wk_span name = name_from_section(module, function);

	for (uint32_t i = 0; name.size == 0 && i < module->export_count; i++)
		if (module->exports[i].kind == WK_EXTERN_FUNC && module->exports[i].index == function)
			name = module->exports[i].name;
	for (uint32_t i = 0; name.size == 0 && function < module->imported_funcs && i < module->import_count; i++)
		if (module->imports[i].kind == WK_EXTERN_FUNC && module->imports[i].index == function)
			name = module->imports[i].name;
	return name;
}
