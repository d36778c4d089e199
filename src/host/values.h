/* SPDX-License-Identifier: Apache-2.0
 * Between the embedder's values and slots. */
#ifndef WK_HOST_VALUES_H
#define WK_HOST_VALUES_H

#include "host/host.h"

/* How a type is shown to embedders. */
enum wk_kind wk_kind_of(const struct wk_registry *registry, wk_valtype type);
const char *wk_kind_text(enum wk_kind kind);
/* Writes a value to its slots (two of v128) if it is of the type: kind, null or not, and that functions and exceptions
 * are of the store. false: it is not, and nothing was written. */
WK_NODISCARD bool wk_value_to_slots(struct wk_store *store, const struct wk_value *value, wk_valtype type,
	uint64_t *slots);
void wk_value_from_slots(const struct wk_registry *registry, wk_valtype type, const uint64_t *slots,
	struct wk_value *value);
/* The slot function of every host function that takes values; its context is its struct wk_host_func. */
enum wk_status wk_call_with_values(void *context, struct wk_caller *caller, uint64_t *slots);

#endif
