/* SPDX-License-Identifier: Apache-2.0
 *
 * Types (specification 3.0, 2.3) and their registry.
 *
 * A value type is one 32-bit number. A concrete heap type holds the *registry id* of its defined type: recursive groups
 * are interned in the keep's registry, so two types are equal (3.1.x, iso-recursive) exactly when their numbers are, in
 * and across modules, and subtyping walks the declared supertypes.
 */
#ifndef WK_FORMAT_TYPES_H
#define WK_FORMAT_TYPES_H

#include "memory/budget.h"
#include "port/port.h"

typedef uint32_t wk_valtype;

/* Numeric and vector types are their binary codes (5.3.1, 5.3.2), so they are below 0x80. */
#define WK_TYPE_I32 0x7fu
#define WK_TYPE_I64 0x7eu
#define WK_TYPE_F32 0x7du
#define WK_TYPE_F64 0x7cu
#define WK_TYPE_V128 0x7bu
#define WK_TYPE_I8 0x78u      /* packed, storage types only */
#define WK_TYPE_I16 0x77u
#define WK_TYPE_BOTTOM 0u     /* the validator's unknown operand; also "no type" */

/* References: WK_REF | (WK_NULLABLE) | heap type. */
#define WK_REF 0x80000000u
#define WK_NULLABLE 0x40000000u
#define WK_HEAP_MASK 0x3fffffffu
/* Abstract heap types are their binary codes with this bit; without it the heap type is a registry id. */
#define WK_HEAP_ABSTRACT 0x20000000u
#define WK_HEAP_NOEXN (WK_HEAP_ABSTRACT | 0x74u)
#define WK_HEAP_NOFUNC (WK_HEAP_ABSTRACT | 0x73u)
#define WK_HEAP_NOEXTERN (WK_HEAP_ABSTRACT | 0x72u)
#define WK_HEAP_NONE (WK_HEAP_ABSTRACT | 0x71u)
#define WK_HEAP_FUNC (WK_HEAP_ABSTRACT | 0x70u)
#define WK_HEAP_EXTERN (WK_HEAP_ABSTRACT | 0x6fu)
#define WK_HEAP_ANY (WK_HEAP_ABSTRACT | 0x6eu)
#define WK_HEAP_EQ (WK_HEAP_ABSTRACT | 0x6du)
#define WK_HEAP_I31 (WK_HEAP_ABSTRACT | 0x6cu)
#define WK_HEAP_STRUCT (WK_HEAP_ABSTRACT | 0x6bu)
#define WK_HEAP_ARRAY (WK_HEAP_ABSTRACT | 0x6au)
#define WK_HEAP_EXN (WK_HEAP_ABSTRACT | 0x69u)
#define WK_HEAP_BOTTOM WK_HEAP_ABSTRACT /* below all heap types: what unreachable code knows of a reference (3.1.1) */

#define WK_TYPE_FUNCREF (WK_REF | WK_NULLABLE | WK_HEAP_FUNC)
#define WK_TYPE_EXTERNREF (WK_REF | WK_NULLABLE | WK_HEAP_EXTERN)
#define WK_TYPE_EXNREF (WK_REF | WK_NULLABLE | WK_HEAP_EXN)

static inline bool wk_is_ref(wk_valtype t) { return (t & WK_REF) != 0; }
static inline bool wk_is_nullable(wk_valtype t) { return (t & WK_NULLABLE) != 0; }
static inline uint32_t wk_heap_of(wk_valtype t) { return t & WK_HEAP_MASK; }
/* 64-bit slots a value takes in a frame, a global or a table: v128 two, all others one. */
static inline uint32_t wk_slots_of(wk_valtype t) { return t == WK_TYPE_V128 ? 2 : 1; }
/* A default value exists (2.3.6): everything but non-null references. */
static inline bool wk_is_defaultable(wk_valtype t) { return !wk_is_ref(t) || wk_is_nullable(t); }

#define WK_NO_TYPE UINT32_MAX

enum wk_composite { WK_COMPOSITE_FUNC, WK_COMPOSITE_STRUCT, WK_COMPOSITE_ARRAY };

/* One defined type. Immutable once interned; lives while any module that names it lives. */
struct wk_deftype {
	enum wk_composite composite;
	uint32_t id;               /* its registry id */
	uint32_t super;            /* registry id of the declared supertype, or WK_NO_TYPE */
	uint32_t depth;            /* supertypes above it */
	bool final;
	/* func: types[] holds parameters, then results. struct and array: field storage types; mutable_[] beside. */
	uint32_t parameter_count, result_count;
	uint32_t parameter_slots, result_slots; /* in 64-bit slots */
	uint32_t field_count;
	wk_valtype *types;
	uint8_t *mutable_;
};

static inline const wk_valtype *wk_results_of(const struct wk_deftype *t) { return t->types + t->parameter_count; }

/* The registry; one per keep, thread-safe. */
struct wk_registry;
WK_NODISCARD enum wk_status wk_registry_new(struct wk_budget *budget, struct wk_registry **registry);
void wk_registry_delete(struct wk_registry *registry);

/* A recursive group as decoded: concrete heap types inside `types` and `super` are registry ids for earlier groups, or
 * WK_HEAP_LOCAL | position for types of the group itself. */
#define WK_HEAP_LOCAL 0x10000000u
/* Interns `count` types. On success ids[i] is set and one reference to the group is held (for wk_registry_drop). Inputs
 * are only borrowed. */
WK_NODISCARD enum wk_status wk_registry_intern(struct wk_registry *registry, const struct wk_deftype *group,
	uint32_t count, uint32_t *ids);
/* Gives back the reference that intern took; `id` is any of the group's, passed once per intern call. A group holds no
 * references to the groups it names: whoever holds it holds those too, and drops it before them. */
void wk_registry_drop(struct wk_registry *registry, uint32_t id);
/* The type of an id that is held. Lock-free. Never NULL for a held id. */
const struct wk_deftype *wk_registry_get(const struct wk_registry *registry, uint32_t id);

/* Subtyping (3.3): a <= b. WK_TYPE_BOTTOM is a subtype of everything. */
bool wk_heap_matches(const struct wk_registry *registry, uint32_t a, uint32_t b);
bool wk_type_matches(const struct wk_registry *registry, wk_valtype a, wk_valtype b);
/* Defined-type subtyping by id. */
bool wk_deftype_matches(const struct wk_registry *registry, uint32_t a, uint32_t b);

/* The type in the notation of the text format ("i32", "(ref null func)"), for reports; into a caller's buffer. */
const char *wk_type_text(wk_valtype type, char buffer[32]);

#endif
