/* SPDX-License-Identifier: Apache-2.0
 *
 * The type registry: recursive groups in canonical form, each once (specification 3.1.2, rolling and unrolling; 3.3.3).
 *
 * Types of WebAssembly 3.0 are equal when their recursive groups are equal in structure. Decoding resolves every type
 * index to a number before a group gets here: a registry id when it means an earlier group, WK_HEAP_LOCAL | position
 * when it means the group itself. So a comparison looks at one group and never into those it names: the cost of
 * interning is linear in the bytes of the group, and types that would unfold exponentially cost nothing.
 *
 * Groups are found in a balanced tree (an AA tree: Andersson, Balanced Search Trees Made Simple, 1993) ordered by hash,
 * then by content. A hash table would do for friends; but hashes can be made to collide by whoever writes modules, and
 * there is no secret here that could key them. In the tree a million collisions are twenty comparisons.
 *
 * Groups lie in blocks that hold many and go when the last of theirs goes, so that a module of 40 types takes few heap
 * allocations. Ids lead to types through chunks of doubling size that never move: a reader that holds an id needs no
 * lock, since what it reads was written before the id was handed out and is not written again while it is held.
 *
 * What always holds, under the lock: every group in the tree has references > 0; entries[id] of each of its members
 * points to it; a group's holders hold the groups it names (so an id inside a group never goes stale before the group).
 */
#include "format/types.h"

#include "base/checked.h"

#define CHUNK_LOG 6u
#define CHUNK_FIRST (1u << CHUNK_LOG)
#define CHUNKS 22u
#define NO_ENTRY UINT32_MAX
#define BLOCK_SMALLEST ((size_t)512)
#define BLOCK_LARGEST ((size_t)4096)

_Static_assert((uint64_t)CHUNK_FIRST << CHUNKS <= WK_HEAP_LOCAL, "registry ids stay below the marks of heap types");

struct group;

struct member {
	struct wk_deftype type;
	struct group *group;
};

struct block {
	size_t size, used;   /* of the whole allocation, header included */
	uint32_t groups;     /* alive in it */
};

struct group {
	struct group *left, *right;
	struct block *block;
	uint32_t level;      /* of the AA tree: 1 at the leaves */
	uint32_t hash;
	uint32_t references;
	uint32_t count;
	struct member members[];
};

union entry {
	struct member *member;
	uintptr_t next_free; /* while the id is not used */
};

struct wk_registry {
	struct wk_budget *budget;
	struct wk_port_lock lock;
	uint32_t id_count;       /* ids ever used: entries below it exist */
	uint32_t free_count;
	uint32_t first_free;     /* an id, or NO_ENTRY */
	uint32_t chunk_count;
	struct group *root;
	struct block *block;     /* the one with room, or NULL */
	size_t block_bytes;      /* of all blocks */
	union entry *chunks[CHUNKS];
};

/* ---- ids ---- */

static union entry *entry_of(const struct wk_registry *registry, uint32_t id)
{
	uint32_t n = id + CHUNK_FIRST;
	uint32_t chunk = 31u - (uint32_t)__builtin_clz(n) - CHUNK_LOG;

	return &registry->chunks[chunk][n - (CHUNK_FIRST << chunk)];
}

const struct wk_deftype *wk_registry_get(const struct wk_registry *registry, uint32_t id)
{
	return &entry_of(registry, id)->member->type;
}

/* Makes sure that `count` ids can be taken without failing. */
static bool reserve_ids(struct wk_registry *registry, uint32_t count)
{
	uint64_t fresh = count > registry->free_count ? count - registry->free_count : 0;
	uint64_t wanted = registry->id_count + fresh;

	while (((uint64_t)CHUNK_FIRST << registry->chunk_count) - CHUNK_FIRST < wanted) {
		uint32_t chunk = registry->chunk_count;

		if (chunk == CHUNKS)
			return false;
		registry->chunks[chunk] = wk_alloc_array(registry->budget, (size_t)CHUNK_FIRST << chunk, sizeof(union entry));
		if (registry->chunks[chunk] == NULL)
			return false;
		registry->chunk_count++;
	}
	return true;
}

static uint32_t take_id(struct wk_registry *registry)
{
	uint32_t id = registry->first_free;

	if (id == NO_ENTRY)
		return registry->id_count++;
	registry->first_free = (uint32_t)entry_of(registry, id)->next_free;
	registry->free_count--;
	return id;
}

static void give_id(struct wk_registry *registry, uint32_t id)
{
	entry_of(registry, id)->next_free = registry->first_free;
	registry->first_free = id;
	registry->free_count++;
}

/* ---- memory of groups ---- */

static void *take_bytes(struct wk_registry *registry, size_t size, struct block **from)
{
	struct block *block = registry->block;
	size_t whole, usual = registry->block_bytes;
	void *bytes;

	size = (size + 15) & ~(size_t)15;
	if (block == NULL || block->size - block->used < size) {
		if (wk_add_overflows(size, (sizeof *block + 15) & ~(size_t)15, &whole))
			return NULL;
		usual = usual < BLOCK_SMALLEST ? BLOCK_SMALLEST : usual > BLOCK_LARGEST ? BLOCK_LARGEST : usual;
		if (whole < usual)
			whole = usual;
		block = wk_alloc(registry->budget, whole);
		if (block == NULL)
			return NULL;
		block->size = whole;
		block->used = (sizeof *block + 15) & ~(size_t)15;
		registry->block_bytes += whole;
		/* The block with more room left is the one to go on with. */
		if (registry->block == NULL || block->size - block->used - size > registry->block->size - registry->block->used)
			registry->block = block;
	}
	bytes = (uint8_t *)block + block->used;
	block->used += size;
	block->groups++;
	*from = block;
	return bytes;
}

static void give_bytes(struct wk_registry *registry, struct block *block)
{
	if (--block->groups != 0)
		return;
	if (registry->block == block)
		registry->block = NULL;
	registry->block_bytes -= block->size;
	wk_free(registry->budget, block, block->size);
}

/* ---- comparing ---- */

/* Types as they come from a decoder (group NULL, already canonical) or as they stand in the registry. */
struct view {
	const struct wk_deftype *first;
	size_t stride;
	uint32_t count;
	uint32_t hash;
	const struct group *group;
};

static const struct wk_deftype *type_at(const struct view *view, uint32_t index)
{
	return (const struct wk_deftype *)(const void *)((const uint8_t *)view->first + (size_t)index * view->stride);
}

static struct view view_of_group(const struct group *group)
{
	return (struct view){ &group->members[0].type, sizeof(struct member), group->count, group->hash, group };
}

static uint32_t canonical_id(const struct wk_registry *registry, const struct view *view, uint32_t id)
{
	const struct member *member;

	if (view->group == NULL || id == WK_NO_TYPE)
		return id;
	member = entry_of(registry, id)->member;
	return member->group == view->group ? WK_HEAP_LOCAL | (uint32_t)(member - view->group->members) : id;
}

static wk_valtype canonical(const struct wk_registry *registry, const struct view *view, wk_valtype type)
{
	if (!wk_is_ref(type) || (type & WK_HEAP_ABSTRACT) != 0)
		return type;
	return (type & ~WK_HEAP_MASK) | canonical_id(registry, view, wk_heap_of(type));
}

static uint32_t value_count(const struct wk_deftype *type)
{
	return type->composite == WK_COMPOSITE_FUNC ? type->parameter_count + type->result_count : type->field_count;
}

static int order(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_types(const struct wk_registry *registry, const struct view *a, const struct view *b, uint32_t index)
{
	const struct wk_deftype *s = type_at(a, index), *t = type_at(b, index);
	int result = order((uint32_t)s->composite * 2 + s->final, (uint32_t)t->composite * 2 + t->final);

	if (result == 0)
		result = order(s->parameter_count, t->parameter_count);
	if (result == 0)
		result = order(value_count(s), value_count(t));
	if (result == 0)
		result = order(canonical_id(registry, a, s->super), canonical_id(registry, b, t->super));
	for (uint32_t i = 0; result == 0 && i < value_count(s); i++)
		result = order(canonical(registry, a, s->types[i]), canonical(registry, b, t->types[i]));
	if (result == 0 && s->composite != WK_COMPOSITE_FUNC && s->field_count != 0)
		result = memcmp(s->mutable_, t->mutable_, s->field_count);
	return result;
}

static int compare(const struct wk_registry *registry, const struct view *a, const struct view *b)
{
	int result = order(a->hash, b->hash);

	if (result == 0)
		result = order(a->count, b->count);
	for (uint32_t i = 0; result == 0 && i < a->count; i++)
		result = compare_types(registry, a, b, i);
	return result;
}

static uint32_t mix(uint32_t hash, uint32_t value)
{
	hash = (hash ^ value) * 0x9E3779B1u;
	return hash ^ (hash >> 15);
}

/* Of a group as decoded, where all numbers are canonical. */
static uint32_t hash_of(const struct wk_deftype *group, uint32_t count)
{
	uint32_t hash = count;

	for (uint32_t i = 0; i < count; i++) {
		const struct wk_deftype *type = &group[i];

		hash = mix(hash, (uint32_t)type->composite * 2 + type->final);
		hash = mix(hash, type->super);
		hash = mix(hash, type->parameter_count);
		hash = mix(hash, value_count(type));
		for (uint32_t k = 0; k < value_count(type); k++)
			hash = mix(hash, type->types[k]);
		for (uint32_t k = 0; type->composite != WK_COMPOSITE_FUNC && k < type->field_count; k++)
			hash = mix(hash, type->mutable_[k]);
	}
	return hash;
}

/* ---- the tree ---- */

static struct group *skew(struct group *t)
{
	struct group *l = t != NULL ? t->left : NULL;

	if (l == NULL || l->level != t->level)
		return t;
	t->left = l->right;
	l->right = t;
	return l;
}

static struct group *split(struct group *t)
{
	struct group *r = t != NULL ? t->right : NULL;

	if (r == NULL || r->right == NULL || r->right->level != t->level)
		return t;
	t->right = r->left;
	r->left = t;
	r->level++;
	return r;
}

/* The recursions are as deep as the tree: at most twice the logarithm of the number of groups. */
static struct group *insert(const struct wk_registry *registry, struct group *t, struct group *group)
{
	struct view a, b;

	if (t == NULL)
		return group;
	a = view_of_group(group);
	b = view_of_group(t);
	if (compare(registry, &a, &b) < 0)
		t->left = insert(registry, t->left, group);
	else
		t->right = insert(registry, t->right, group);
	return split(skew(t));
}

/* Restores the levels of a node below which one was taken out. */
static struct group *rebalance(struct group *t)
{
	uint32_t left = t->left != NULL ? t->left->level : 0, right = t->right != NULL ? t->right->level : 0;
	uint32_t level = (left < right ? left : right) + 1;

	if (level < t->level) {
		t->level = level;
		if (t->right != NULL && level < t->right->level)
			t->right->level = level;
	}
	t = skew(t);
	t->right = skew(t->right);
	if (t->right != NULL)
		t->right->right = skew(t->right->right);
	t = split(t);
	t->right = split(t->right);
	return t;
}

static struct group *take_least(struct group *t, struct group **least)
{
	if (t->left == NULL) {
		*least = t;
		return t->right;
	}
	t->left = take_least(t->left, least);
	return rebalance(t);
}

static struct group *take_out(const struct wk_registry *registry, struct group *t, struct group *group)
{
	struct view a = view_of_group(group), b = view_of_group(t);

	if (t == group) {
		struct group *next;

		if (t->right == NULL)
			return t->left;
		t->right = take_least(t->right, &next);
		next->left = t->left;
		next->right = t->right;
		next->level = t->level;
		return rebalance(next);
	}
	if (compare(registry, &a, &b) < 0)
		t->left = take_out(registry, t->left, group);
	else
		t->right = take_out(registry, t->right, group);
	return rebalance(t);
}

static struct group *find(const struct wk_registry *registry, const struct view *wanted)
{
	struct group *t = registry->root;

	while (t != NULL) {
		struct view view = view_of_group(t);
		int result = compare(registry, wanted, &view);

		if (result == 0)
			return t;
		t = result < 0 ? t->left : t->right;
	}
	return NULL;
}

/* ---- interning ---- */

static uint32_t slots_of(const wk_valtype *types, uint32_t count)
{
	uint32_t slots = 0;

	for (uint32_t i = 0; i < count; i++)
		slots += wk_slots_of(types[i]);
	return slots;
}

/* Copies one type into the registry; local references become ids. Supers come before their subtypes. */
static void settle(const struct wk_registry *registry, struct group *group, const struct wk_deftype *from,
	uint32_t index)
{
	struct wk_deftype *to = &group->members[index].type;
	uint32_t count = value_count(from);

	to->composite = from->composite;
	to->final = from->final;
	to->parameter_count = from->parameter_count;
	to->result_count = from->result_count;
	to->field_count = from->field_count;
	to->super = from->super;
	if (to->super != WK_NO_TYPE) {
		if ((to->super & WK_HEAP_LOCAL) != 0)
			to->super = group->members[to->super & ~WK_HEAP_LOCAL].type.id;
		to->depth = wk_registry_get(registry, to->super)->depth + 1;
	}
	for (uint32_t i = 0; i < count; i++) {
		wk_valtype type = from->types[i];

		if (wk_is_ref(type) && (type & (WK_HEAP_ABSTRACT | WK_HEAP_LOCAL)) == WK_HEAP_LOCAL)
			type = (type & ~WK_HEAP_MASK) | group->members[type & (WK_HEAP_LOCAL - 1)].type.id;
		to->types[i] = type;
	}
	if (from->composite == WK_COMPOSITE_FUNC) {
		to->parameter_slots = slots_of(to->types, to->parameter_count);
		to->result_slots = slots_of(wk_results_of(to), to->result_count);
	} else if (count != 0) {
		memcpy(to->mutable_, from->mutable_, count);
	}
}

/* Bytes of a group with what its types point to: members, then value types, then mutabilities. */
static bool group_size(const struct wk_deftype *types, uint32_t count, size_t *size)
{
	size_t total;

	if (wk_mul_overflows(count, sizeof(struct member), &total) || wk_add_overflows(total, sizeof(struct group), &total))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		size_t item = sizeof(wk_valtype) + (types[i].composite != WK_COMPOSITE_FUNC);
		size_t bytes;

		if (wk_mul_overflows(value_count(&types[i]), item, &bytes) || wk_add_overflows(total, bytes, &total))
			return false;
	}
	*size = total;
	return true;
}

/* Gives each member its id, its entry and its room for types. */
static void place_members(struct wk_registry *registry, struct group *group, const struct wk_deftype *types)
{
	wk_valtype *values = (wk_valtype *)(void *)&group->members[group->count];
	uint8_t *flags;

	for (uint32_t i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];

		member->group = group;
		member->type.id = take_id(registry);
		member->type.types = values;
		values += value_count(&types[i]);
		entry_of(registry, member->type.id)->member = member;
	}
	flags = (uint8_t *)values;
	for (uint32_t i = 0; i < group->count; i++) {
		if (types[i].composite == WK_COMPOSITE_FUNC)
			continue;
		group->members[i].type.mutable_ = flags;
		flags += types[i].field_count;
	}
}

static struct group *add(struct wk_registry *registry, const struct wk_deftype *types, uint32_t count, uint32_t hash)
{
	struct block *block;
	struct group *group;
	size_t size;

	if (!group_size(types, count, &size) || !reserve_ids(registry, count))
		return NULL;
	group = take_bytes(registry, size, &block);
	if (group == NULL)
		return NULL;
	group->left = group->right = NULL;
	group->block = block;
	group->level = 1;
	group->hash = hash;
	group->references = 0;
	group->count = count;
	place_members(registry, group, types);
	for (uint32_t i = 0; i < count; i++)
		settle(registry, group, &types[i], i);
	registry->root = insert(registry, registry->root, group);
	return group;
}

enum wk_status wk_registry_intern(struct wk_registry *registry, const struct wk_deftype *types, uint32_t count,
	uint32_t *ids)
{
	struct view view = { types, sizeof *types, count, hash_of(types, count), NULL };
	struct group *group;

	if (count == 0)
		return WK_BAD_ARGUMENT;
	wk_port_lock(&registry->lock);
	group = find(registry, &view);
	if (group == NULL)
		group = add(registry, types, count, view.hash);
	if (group != NULL) {
		group->references++;
		for (uint32_t i = 0; i < count; i++)
			ids[i] = group->members[i].type.id;
	}
	wk_port_unlock(&registry->lock);
	return group != NULL ? WK_OK : WK_NO_MEMORY;
}

void wk_registry_drop(struct wk_registry *registry, uint32_t id)
{
	struct group *group;

	wk_port_lock(&registry->lock);
	group = entry_of(registry, id)->member->group;
	if (--group->references == 0) {
		registry->root = take_out(registry, registry->root, group);
		for (uint32_t i = 0; i < group->count; i++)
			give_id(registry, group->members[i].type.id);
		give_bytes(registry, group->block);
	}
	wk_port_unlock(&registry->lock);
}

/* ---- life ---- */

enum wk_status wk_registry_new(struct wk_budget *budget, struct wk_registry **result)
{
	struct wk_registry *registry = wk_alloc(budget, sizeof *registry);

	if (registry == NULL)
		return WK_NO_MEMORY;
	registry->budget = budget;
	registry->first_free = NO_ENTRY;
	*result = registry;
	return WK_OK;
}

void wk_registry_delete(struct wk_registry *registry)
{
	if (registry == NULL)
		return;
	/* A type that is still held is a mistake of the embedder's; its memory is given back all the same, and without
	 * looking into groups, since what they name may have gone. */
	while (registry->root != NULL) {
		struct group *group;

		registry->root = take_least(registry->root, &group);
		give_bytes(registry, group->block);
	}
	for (uint32_t i = 0; i < registry->chunk_count; i++)
		wk_free(registry->budget, registry->chunks[i], ((size_t)CHUNK_FIRST << i) * sizeof(union entry));
	wk_free(registry->budget, registry, sizeof *registry);
}
