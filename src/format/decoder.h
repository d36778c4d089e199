/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the binary decoder; nobody else includes this.
 */
#ifndef WK_FORMAT_DECODER_H
#define WK_FORMAT_DECODER_H

#include "format/limits.h"
#include "format/reader.h"

struct wk_decoder {
	struct wk_module *module;
	struct wk_reader reader;    /* inside the section that is being decoded */
	struct wk_type_scope scope; /* of the module's types, once they are decoded */
	struct wk_span contents[WK_SECTION_IDS]; /* of the sections that are there; data NULL: absent */
	uint32_t declared_funcs, declared_tables, declared_memories, declared_globals, declared_tags; /* not imported */
	uint32_t declared_datas;    /* by the data count section */
};

/* An array of the module's arena; NULL fills the report. */
void *wk_decoder_array(struct wk_decoder *decoder, size_t count, size_t item);
/* WK_MALFORMED with this text. */
enum wk_status wk_decoder_fail(struct wk_decoder *decoder, uint32_t offset, const char *text);
/* Finds the end of the constant expression at the reader. */
WK_NODISCARD enum wk_status wk_decode_expression(struct wk_decoder *decoder, struct wk_constexpr *expression);

/* One function for each section, with `reader` at its first byte; the caller checks that all was read. */
WK_NODISCARD enum wk_status wk_decode_types(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_imports(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_functions(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_tables(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_memories(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_tags(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_globals(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_exports(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_start(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_elements(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_data_count(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_code(struct wk_decoder *decoder);
WK_NODISCARD enum wk_status wk_decode_datas(struct wk_decoder *decoder);
/* Contents of the name section; never fails. */
void wk_decode_names(struct wk_module *module, struct wk_span contents);

/* WK_OK when the bytes begin like a core module; otherwise the report says what they seem to be. */
WK_NODISCARD enum wk_status wk_check_header(struct wk_span bytes, struct wk_report *report);

#endif
