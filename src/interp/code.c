/* SPDX-License-Identifier: Apache-2.0
 *
 * Where internal code lives. A function is translated into a buffer that serves one after the other, so that its size is
 * known when it gets its place: small functions share blocks, the best fit among a few that have room left; a large one
 * takes the buffer with it, cut to size. Modules thus need few allocations, and little of them stays unused.
 *
 * What always holds: a block's first `used` bytes behind its struct are functions without a gap, each a header, its
 * code, and its catch clauses. Functions never move or change, and blocks live as long as the module's code.
 */
#include "interp/code.h"

#define FIRST_BLOCK 2048u
#define USUAL_BLOCK 16384u
#define LARGE_FUNCTION 16384u /* bytes; above, a function keeps the buffer as its block */
#define FIRST_BUFFER 1024u    /* units */
#define KEPT_BUFFER 4096u     /* units; a larger buffer is not kept for the next function */

/* ---- the layout of a function ---- */

static size_t units_size(uint32_t units)
{
	return (units * sizeof(wk_unit) + 3) & ~(size_t)3;
}

static size_t function_size(const struct wk_code_header *header)
{
	size_t size = sizeof *header + units_size(header->units) + header->catch_count * sizeof(struct wk_catch);
	return (size + 7) & ~(size_t)7;
}

const struct wk_catch *wk_code_catches(const struct wk_code_header *header)
{
	return (const struct wk_catch *)((const uint8_t *)(header + 1) + units_size(header->units));
}

static const struct wk_code_header *next_function(const struct wk_code_header *header)
{
	return (const struct wk_code_header *)((const uint8_t *)header + function_size(header));
}

static size_t room_in(const struct wk_code_block *block)
{
	return block->size - sizeof *block - block->used;
}

/* ---- the buffer: a block in the making ---- */

static size_t buffer_size(uint32_t units)
{
	return sizeof(struct wk_code_block) + sizeof(struct wk_code_header) + (size_t)units * sizeof(wk_unit);
}

static wk_unit *buffer_units(struct wk_code_block *buffer)
{
	return (wk_unit *)((struct wk_code_header *)(buffer + 1) + 1);
}

wk_unit *wk_code_buffer(struct wk_code *code, uint32_t units, uint32_t *room)
{
	struct wk_scratch *s = &code->scratch;
	if (!s->buffer || units > s->buffer_room) {
		uint32_t wanted = s->buffer_room + s->buffer_room / 2;
		if (wanted < FIRST_BUFFER)
			wanted = FIRST_BUFFER;
		if (wanted < units)
			wanted = units;
		struct wk_code_block *grown = wk_resize(&code->budget, s->buffer, s->buffer ? buffer_size(s->buffer_room) : 0,
			buffer_size(wanted));
		if (!grown)
			return NULL;
		s->buffer = grown;
		s->buffer_room = wanted;
	}
	*room = s->buffer_room;
	return buffer_units(s->buffer);
}

static void drop_buffer(struct wk_code *code)
{
	struct wk_scratch *s = &code->scratch;
	wk_free(&code->budget, s->buffer, s->buffer ? buffer_size(s->buffer_room) : 0);
	s->buffer = NULL;
	s->buffer_room = 0;
}

/* ---- placing ---- */

/* The open block where the function fits with the least left over. */
static struct wk_code_block *best_block(const struct wk_code *code, size_t size)
{
	struct wk_code_block *best = NULL;
	for (uint32_t i = 0; i < WK_CODE_OPEN_BLOCKS; i++) {
		struct wk_code_block *block = code->open[i];
		if (block && room_in(block) >= size && (!best || room_in(block) < room_in(best)))
			best = block;
	}
	return best;
}

static void add_block(struct wk_code *code, struct wk_code_block *block)
{
	block->next = code->blocks;
	__atomic_store_n(&code->blocks, block, __ATOMIC_RELEASE);
}

/* A new open block takes the place of the one with the least room. */
static struct wk_code_block *new_block(struct wk_code *code, size_t size)
{
	size_t usual = code->block_size ? code->block_size * 2 : FIRST_BLOCK;
	if (usual > USUAL_BLOCK)
		usual = USUAL_BLOCK;
	size_t whole = sizeof(struct wk_code_block) + size;
	if (whole < usual)
		whole = usual;
	struct wk_code_block *block = wk_alloc(&code->budget, whole);
	if (!block) { /* the memory is nearly gone: just what is needed, perhaps */
		whole = sizeof(struct wk_code_block) + size;
		block = wk_alloc(&code->budget, whole);
	}
	if (!block)
		return NULL;
	block->size = whole;
	code->block_size = usual;
	uint32_t least = 0;
	for (uint32_t i = 0; i < WK_CODE_OPEN_BLOCKS; i++) {
		if (!code->open[i]) {
			least = i;
			break;
		}
		if (room_in(code->open[i]) < room_in(code->open[least]))
			least = i;
	}
	code->open[least] = block;
	add_block(code, block);
	return block;
}

/* Writes the catch clauses behind the units. */
static void put_catches(struct wk_code_header *header, const struct wk_catch *catches)
{
	if (header->catch_count)
		memcpy((uint8_t *)(header + 1) + units_size(header->units), catches, header->catch_count * sizeof *catches);
}

static struct wk_code_header *place_large(struct wk_code *code, const struct wk_code_header *header,
	const struct wk_catch *catches, size_t size)
{
	struct wk_scratch *s = &code->scratch;
	struct wk_code_block *block = wk_resize(&code->budget, s->buffer, buffer_size(s->buffer_room), sizeof *block + size);
	if (!block)
		return NULL;
	s->buffer = NULL;
	s->buffer_room = 0;
	struct wk_code_header *placed = (struct wk_code_header *)(block + 1);
	*placed = *header;
	put_catches(placed, catches);
	block->size = sizeof *block + size;
	block->used = size;
	add_block(code, block);
	return placed;
}

const wk_unit *wk_code_place(struct wk_code *code, const struct wk_code_header *header, const struct wk_catch *catches)
{
	size_t size = function_size(header);
	struct wk_code_header *placed;
	if (size > LARGE_FUNCTION) {
		placed = place_large(code, header, catches, size);
		return placed ? wk_code_start(placed) : NULL;
	}
	struct wk_code_block *block = best_block(code, size);
	if (!block)
		block = new_block(code, size);
	if (!block)
		return NULL;
	placed = (struct wk_code_header *)((uint8_t *)(block + 1) + block->used);
	*placed = *header;
	memcpy(placed + 1, buffer_units(code->scratch.buffer), header->units * sizeof(wk_unit));
	put_catches(placed, catches);
	if (code->scratch.buffer_room > KEPT_BUFFER)
		drop_buffer(code);
	/* Who looks for other functions in this block does not take the lock. */
	__atomic_store_n(&block->used, block->used + size, __ATOMIC_RELEASE);
	return wk_code_start(placed);
}

const struct wk_code_header *wk_code_find(const struct wk_code *code, const wk_unit *at)
{
	const struct wk_code_block *block = __atomic_load_n(&code->blocks, __ATOMIC_ACQUIRE);
	for (; block; block = block->next) {
		const uint8_t *begin = (const uint8_t *)(block + 1);
		const uint8_t *end = begin + __atomic_load_n(&block->used, __ATOMIC_ACQUIRE);
		if ((const uint8_t *)at < begin || (const uint8_t *)at >= end)
			continue;
		const struct wk_code_header *header = (const struct wk_code_header *)begin;
		while ((const uint8_t *)at >= (const uint8_t *)next_function(header))
			header = next_function(header);
		return header;
	}
	return NULL;
}

void wk_code_end(struct wk_code *code)
{
	while (code->blocks) {
		struct wk_code_block *block = code->blocks;
		code->blocks = block->next;
		wk_free(&code->budget, block, block->size);
	}
	drop_buffer(code);
	wk_translate_end(code);
}
