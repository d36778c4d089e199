/* SPDX-License-Identifier: Apache-2.0
 *
 * Subtyping (specification 3.3), and types as text. Defined types are equal exactly when their ids are, so matching
 * walks declared supertypes (at most WK_MAX_SUBTYPE_DEPTH of them) and otherwise looks at one hierarchy of abstract
 * heap types: any, func, extern or exn.
 */
#include "format/types.h"

/* The top of a heap type's hierarchy (3.3.1). */
static uint32_t top_of(const struct wk_registry *registry, uint32_t heap)
{
	switch (heap) {
	case WK_HEAP_FUNC:
	case WK_HEAP_NOFUNC:
		return WK_HEAP_FUNC;
	case WK_HEAP_EXTERN:
	case WK_HEAP_NOEXTERN:
		return WK_HEAP_EXTERN;
	case WK_HEAP_EXN:
	case WK_HEAP_NOEXN:
		return WK_HEAP_EXN;
	default:
		if ((heap & WK_HEAP_ABSTRACT) == 0 && wk_registry_get(registry, heap)->composite == WK_COMPOSITE_FUNC)
			return WK_HEAP_FUNC;
		return WK_HEAP_ANY;
	}
}

bool wk_deftype_matches(const struct wk_registry *registry, uint32_t a, uint32_t b)
{
	uint32_t depth;

	if (a == b)
		return true;
	depth = wk_registry_get(registry, b)->depth;
	while (a != b) {
		const struct wk_deftype *type = wk_registry_get(registry, a);

		if (type->depth <= depth)
			return false;
		a = type->super;
	}
	return true;
}

static bool abstract_matches(const struct wk_registry *registry, uint32_t a, uint32_t b)
{
	switch (b) {
	case WK_HEAP_EQ:
		if (a == WK_HEAP_I31 || a == WK_HEAP_STRUCT || a == WK_HEAP_ARRAY)
			return true;
		return (a & WK_HEAP_ABSTRACT) == 0 && top_of(registry, a) == WK_HEAP_ANY;
	case WK_HEAP_STRUCT:
		return (a & WK_HEAP_ABSTRACT) == 0 && wk_registry_get(registry, a)->composite == WK_COMPOSITE_STRUCT;
	case WK_HEAP_ARRAY:
		return (a & WK_HEAP_ABSTRACT) == 0 && wk_registry_get(registry, a)->composite == WK_COMPOSITE_ARRAY;
	default: /* tops; what is below everything was seen to before */
		return b == top_of(registry, a);
	}
}

bool wk_heap_matches(const struct wk_registry *registry, uint32_t a, uint32_t b)
{
	if (a == b)
		return true;
	switch (a) {
	case WK_HEAP_BOTTOM:
		return true;
	case WK_HEAP_NONE:
	case WK_HEAP_NOFUNC:
	case WK_HEAP_NOEXTERN:
	case WK_HEAP_NOEXN:
		return top_of(registry, a) == top_of(registry, b) && b != WK_HEAP_BOTTOM;
	default:
		break;
	}
	if ((b & WK_HEAP_ABSTRACT) == 0)
		return (a & WK_HEAP_ABSTRACT) == 0 && wk_deftype_matches(registry, a, b);
	return b != WK_HEAP_BOTTOM && abstract_matches(registry, a, b);
}

bool wk_type_matches(const struct wk_registry *registry, wk_valtype a, wk_valtype b)
{
	if (a == b || a == WK_TYPE_BOTTOM)
		return true;
	if (!wk_is_ref(a) || !wk_is_ref(b) || (wk_is_nullable(a) && !wk_is_nullable(b)))
		return false;
	return wk_heap_matches(registry, wk_heap_of(a), wk_heap_of(b));
}

static const char *heap_text(uint32_t heap)
{
	switch (heap) {
	case WK_HEAP_NOEXN: return "noexn";
	case WK_HEAP_NOFUNC: return "nofunc";
	case WK_HEAP_NOEXTERN: return "noextern";
	case WK_HEAP_NONE: return "none";
	case WK_HEAP_FUNC: return "func";
	case WK_HEAP_EXTERN: return "extern";
	case WK_HEAP_ANY: return "any";
	case WK_HEAP_EQ: return "eq";
	case WK_HEAP_I31: return "i31";
	case WK_HEAP_STRUCT: return "struct";
	case WK_HEAP_ARRAY: return "array";
	case WK_HEAP_EXN: return "exn";
	default: return "bot";
	}
}

static const char *number_text(wk_valtype type)
{
	switch (type) {
	case WK_TYPE_I32: return "i32";
	case WK_TYPE_I64: return "i64";
	case WK_TYPE_F32: return "f32";
	case WK_TYPE_F64: return "f64";
	case WK_TYPE_V128: return "v128";
	case WK_TYPE_I8: return "i8";
	case WK_TYPE_I16: return "i16";
	default: return "bot";
	}
}

const char *wk_type_text(wk_valtype type, char buffer[32])
{
	const char *null = wk_is_nullable(type) ? "null " : "";

	if (!wk_is_ref(type))
		return number_text(type);
	if ((type & WK_HEAP_ABSTRACT) != 0)
		wk_format(buffer, 32, "(ref %s%s)", null, heap_text(wk_heap_of(type)));
	else
		wk_format(buffer, 32, "(ref %s$%u)", null, wk_heap_of(type));
	return buffer;
}
