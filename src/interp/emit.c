/* SPDX-License-Identifier: Apache-2.0
 *
 * The lower half of the translator: entries, the pending instruction, fusion and forms. See translate.h.
 *
 * What always holds: an accumulator's slot (acc_slot, f32_slot, f64_slot) names the slot whose value the register
 * holds, or is NO_SLOT; whoever writes a slot says so. A value that was never stored, because its producer became an
 * n form, has been consumed: no entry names its slot.
 */
#include "interp/translate.h"

/* ---- memory ---- */

void *wk_t_grow(struct translator *t, void *items, size_t *room, size_t needed, size_t item)
{
	if (needed <= *room)
		return items;
	size_t wanted = *room * 2 > needed ? *room * 2 : needed + 16;
	void *grown = wk_resize(t->budget, items, *room * item, wanted * item);
	if (!grown) {
		t->failed = true;
		return NULL;
	}
	*room = wanted;
	return grown;
}

void wk_translate_end(struct wk_code *code)
{
	struct wk_scratch *s = &code->scratch;
	wk_free(&code->budget, s->entries, s->entry_room * sizeof *s->entries);
	wk_free(&code->budget, s->controls, s->control_room * sizeof *s->controls);
	wk_free(&code->budget, s->catches, s->catch_room * sizeof *s->catches);
	wk_free(&code->budget, s->locals, s->local_room * sizeof *s->locals);
	wk_free(&code->budget, s->far, s->far_room * sizeof *s->far);
}

/* After a failure nothing more is written: there is no room. */
static bool make_room(struct translator *t, uint32_t units)
{
	wk_unit *out = t->failed ? NULL : wk_code_buffer(t->code, t->count + units, &t->room);
	if (!out) {
		t->failed = true;
		t->room = 0;
		return false;
	}
	t->out = out;
	return true;
}

static inline bool reserve(struct translator *t, uint32_t units)
{
	return t->count + units <= t->room || make_room(t, units);
}

/* ---- fusion ---- */

enum fuse_row {
#define OP(name, units, flags)
#define FUSE(a, b) ROW_##a##__##b,
/* The first row of a group, without taking a number. */
#define FUSE_GROUP(a) BEGIN_##a, BEFORE_##a = BEGIN_##a - 1,
#include "interp/fusions.def"
	ROW_COUNT
#undef FUSE
};

static const struct { uint16_t second, fused; } fuse_rows[ROW_COUNT + 1] = {
#define FUSE(a, b) { WK_I_##b, WK_I_##a##__##b },
#include "interp/fusions.def"
#undef FUSE
	{ 0, 0 }
};

/* Where the rows of each first instruction begin and end: of several initialisers the last wins, the last row's. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
static const struct { uint16_t begin, end; } fuse_groups[WK_I_COUNT] = {
#define FUSE(a, b) [WK_I_##a] = { BEGIN_##a, ROW_##a##__##b + 1 },
#include "interp/fusions.def"
#undef FUSE
#undef OP
};

static uint32_t fused(uint32_t first, uint32_t second)
{
	if (first == NO_INSTRUCTION)
		return NO_INSTRUCTION;
	/* The last row whose second is not larger: halving without branches on what is compared, which nobody could predict. */
	uint32_t begin = fuse_groups[first].begin, count = fuse_groups[first].end - begin;
	while (count > 1) {
		uint32_t half = count / 2;
		begin += fuse_rows[begin + half].second <= second ? half : 0;
		count -= half;
	}
	return count == 1 && fuse_rows[begin].second == second ? fuse_rows[begin].fused : NO_INSTRUCTION;
}

static const uint8_t flags_of[] = {
#define OP(name, units, flags) (flags),
#define FUSE(a, b) 0,
#include "interp/instructions.def"
#include "interp/fusions.def"
#undef OP
#undef FUSE
};

/* ---- writing ---- */

/* Mostly four units or less: a call would cost more than they do. */
static inline void copy_units(wk_unit *to, const wk_unit *from, uint32_t count)
{
	for (; count >= 4; count -= 4, to += 4, from += 4)
		memcpy(to, from, 4 * sizeof *to);
	if (count & 2) {
		memcpy(to, from, 2 * sizeof *to);
		to += 2;
		from += 2;
	}
	if (count & 1)
		*to = *from;
}

/* Writes an instruction with `count` operands out of the pending one's array, from its `skip`th on: four at once. */
static void commit(struct translator *t, uint32_t op, uint32_t skip, uint32_t count, const uint8_t *from)
{
	const wk_unit *w = t->pending.w + skip;
	if (!reserve(t, count + 1 + 4))
		return;
	/* Where a memory may turn out to be larger, the instruction that found it too small is done once more: it must not be
	 * the second half of a pair then. */
	uint32_t pair = t->module->small != 0 ? NO_INSTRUCTION : fused(t->last_op, op);
	if (pair != NO_INSTRUCTION) {
		t->out[t->last_at] = wk_code_reference((enum wk_instruction)pair);
		t->last_op = pair;
	} else {
		t->last_at = t->count;
		t->last_op = op;
		t->out[t->count++] = wk_code_reference((enum wk_instruction)op);
	}
	if (t->watch < t->count + count + (count == 0)) {
		/* Found: it lies in these operands, or right behind an instruction without any. */
		t->watched = (uint64_t)(from - t->module->bytes.data);
		t->watch = UINT32_MAX;
	}
	memcpy(t->out + t->count, w, 4 * sizeof *w);
	if (count > 4)
		copy_units(t->out + t->count + 4, w + 4, count - 4);
	t->count += count;
}

/* Writes a negated comparison without its negation, which becomes pending in its place. */
static void write_negation(struct translator *t)
{
	struct pending *p = &t->pending;
	if (p->op == NO_INSTRUCTION || !p->negated)
		return;
	commit(t, p->op + 1, 1, p->count - 1, p->from);
	p->op = WK_I_eq32_dai;
	p->count = 2;
	p->w[1] = 0;
	p->negated = false;
}

void wk_t_flush(struct translator *t)
{
	struct pending *p = &t->pending;
	write_negation(t);
	if (p->op == NO_INSTRUCTION)
		return;
	uint32_t op = p->op;
	p->op = NO_INSTRUCTION;
	commit(t, op, 0, p->count, p->from);
}

void wk_t_label(struct translator *t)
{
	wk_t_flush(t);
	t->last_op = NO_INSTRUCTION;
	t->acc_slot = t->f32_slot = t->f64_slot = NO_SLOT;
}

void wk_t_write(struct translator *t, uint32_t op, const wk_unit *w, uint32_t count)
{
	wk_t_flush(t);
	copy_units(t->pending.w, w, count % MAX_OPERANDS); /* always less, which gcc cannot know */
	commit(t, op, 0, count, t->from);
}

void wk_t_write_raw(struct translator *t, const wk_unit *w, uint32_t count)
{
	if (!reserve(t, count))
		return;
	memcpy(t->out + t->count, w, count * sizeof *w);
	t->count += count;
}

void wk_t_written(struct translator *t, uint32_t slot)
{
	if (t->acc_slot == slot)
		t->acc_slot = NO_SLOT;
	if (t->f32_slot == slot)
		t->f32_slot = NO_SLOT;
	if (t->f64_slot == slot)
		t->f64_slot = NO_SLOT;
}

static void make_pending(struct translator *t, uint32_t op, uint32_t target, const wk_unit *w, uint32_t count)
{
	wk_t_flush(t);
	struct pending *p = &t->pending;
	p->op = op;
	p->count = count;
	p->target = target;
	p->acc_before = t->acc_slot;
	p->negated = false;
	p->from = t->from;
	p->w[0] = (wk_unit)target;
	copy_units(p->w + 1, w + 1, count - 1);
}

void wk_t_produce(struct translator *t, uint32_t op, uint32_t target, wk_class type, const wk_unit *w, uint32_t count)
{
	make_pending(t, op, target, w, count);
	wk_t_written(t, target);
	*wk_t_accumulator(t, type) = target;
}

void wk_t_produce_plain(struct translator *t, uint32_t op, uint32_t target, uint32_t slots, const wk_unit *w,
	uint32_t count)
{
	make_pending(t, op, target, w, count);
	wk_t_written(t, target);
	if (slots == 2)
		wk_t_written(t, target + 1);
}

/* ---- entries ---- */

void wk_t_bring_home_one(struct translator *t, uint32_t i)
{
	struct entry *e = &t->s->entries[i];
	if (e->kind == IN_TEMPORARY)
		return;
	wk_t_move(t, e->home, *e);
	if (e->kind == IN_LOCAL)
		t->s->locals[e->value].uses--;
	e->kind = IN_TEMPORARY;
	e->slot = e->home;
}

void wk_t_settle(struct translator *t)
{
	for (uint32_t i = t->settled; i < t->entry_count; i++)
		if (t->s->entries[i].kind == IN_LOCAL)
			wk_t_bring_home_one(t, i);
	t->settled = t->entry_count;
}

void wk_t_bring_home(struct translator *t, uint32_t count)
{
	for (uint32_t i = t->entry_count - count; i < t->entry_count; i++)
		wk_t_bring_home_one(t, i);
}

static void constant(struct translator *t, uint32_t slot, uint64_t value)
{
	wk_unit w[5] = { 0, (wk_unit)value, (wk_unit)(value >> 16), (wk_unit)(value >> 32), (wk_unit)(value >> 48) };
	if (fits16(value))
		wk_t_produce_plain(t, WK_I_const16, slot, 1, w, 2);
	else if ((int64_t)value == (int32_t)value)
		wk_t_produce_plain(t, WK_I_const32, slot, 1, w, 3);
	else
		wk_t_produce_plain(t, WK_I_const64, slot, 1, w, 5);
}

void wk_t_move(struct translator *t, uint32_t slot, struct entry entry)
{
	struct pending *p = &t->pending;
	if (entry.kind == IS_CONSTANT) {
		constant(t, slot, entry.value);
		return;
	}
	if (entry.slot == slot)
		return;
	if (entry.kind == IN_TEMPORARY && p->op != NO_INSTRUCTION && p->target == entry.slot) {
		/* The value's producer is still pending: let it write there. */
		bool acc = t->acc_slot == entry.slot, f32 = t->f32_slot == entry.slot, f64 = t->f64_slot == entry.slot;
		wk_t_written(t, slot);
		if (entry.type == WK_TYPE_V128)
			wk_t_written(t, slot + 1);
		p->target = slot;
		p->w[0] = (wk_unit)slot;
		if (acc)
			t->acc_slot = slot;
		if (f32)
			t->f32_slot = slot;
		if (f64)
			t->f64_slot = slot;
		return;
	}
	wk_unit w[2] = { 0, entry.slot };
	wk_t_produce_plain(t, entry.type == WK_TYPE_V128 ? WK_I_mov128 : WK_I_mov, slot, slots_of_class(entry.type), w, 2);
}

/* Constants inside loops get a slot that is filled when the function is entered. */
static uint32_t constant_slot(struct translator *t, uint64_t value)
{
	for (uint32_t i = 0; i < t->constant_count; i++)
		if (t->constants[i] == value)
			return t->constant_base + i;
	if (t->loop_depth == 0 || t->constant_count == t->constant_room)
		return NO_SLOT;
	t->constants[t->constant_count] = value;
	return t->constant_base + t->constant_count++;
}

uint32_t wk_t_slot(struct translator *t, struct entry entry)
{
	if (entry.kind != IS_CONSTANT)
		return entry.slot;
	uint32_t slot = constant_slot(t, entry.value);
	if (slot != NO_SLOT)
		return slot;
	constant(t, entry.home, entry.value);
	return entry.home;
}

void wk_t_take(struct translator *t, struct entry entry)
{
	struct pending *p = &t->pending;
	if (entry.kind != IN_TEMPORARY || p->op == NO_INSTRUCTION || p->target != entry.slot || !(flags_of[p->op] & WK_I_N))
		return;
	write_negation(t);
	p->op++;
	p->count--;
	p->target = NO_SLOT;
	memmove(p->w, p->w + 1, p->count * sizeof *p->w);
}

/* ---- branches ---- */

/* A label that was reached by a short branch from too far away: the function is translated once more. */
static void note_far(struct translator *t, const struct label *label)
{
	size_t word = label->number / 32;
	t->too_far = true;
	uint32_t *far = wk_t_grow(t, t->s->far, &t->s->far_room, word + 1, sizeof *far);
	if (!far)
		return;
	t->s->far = far;
	far[word] |= UINT32_C(1) << label->number % 32;
}

bool wk_t_is_far(const struct translator *t, const struct label *label)
{
	size_t word = label->number / 32;
	if (label->number == NO_NUMBER)
		return false;
	return (label->at != NO_PLACE && t->count - label->at > MAX_SHORT - NEARBY) || t->attempt == LAST_ATTEMPT ||
		(word < t->s->far_room && t->s->far[word] >> label->number % 32 & 1);
}

/* The target fields of branches to a label that is not there yet are linked: a short one holds the distance to the short
 * one before, 0 for none; a long one the place of the long one before. */
void wk_t_branch(struct translator *t, uint32_t op, wk_unit *w, uint32_t count, struct label *label)
{
	w[count] = 0;
	wk_t_write(t, op, w, count + 1);
	if (t->failed)
		return;
	uint32_t field = t->count - 1;
	uint32_t distance = label->at != NO_PLACE ? field - label->at : label->fixups != NO_PLACE ? field - label->fixups : 0;
	if (distance > MAX_SHORT) {
		note_far(t, label);
		distance = 0;
	}
	t->out[field] = (wk_unit)(label->at != NO_PLACE ? -distance : distance);
	label->fixups = field;
}

void wk_t_long_target(struct translator *t, struct label *label)
{
	wk_unit w[2] = { 0, 0 };
	wk_t_write_raw(t, w, 2);
	if (t->failed)
		return;
	uint32_t field = t->count - 2;
	put_word(t->out + field, label->at != NO_PLACE ? label->at - field : label->long_fixups);
	label->long_fixups = field;
}

void wk_t_jump(struct translator *t, struct label *label)
{
	if (!wk_t_is_far(t, label)) {
		wk_unit w[1];
		wk_t_branch(t, WK_I_br, w, 0, label);
		return;
	}
	wk_t_write(t, WK_I_br_far, NULL, 0);
	t->last_op = NO_INSTRUCTION; /* its operand is not written yet */
	wk_t_long_target(t, label);
}

void wk_t_resolve(struct translator *t, struct label *label)
{
	if (label->at != NO_PLACE || t->failed)
		return;
	for (uint32_t field = label->fixups; field != NO_PLACE;) {
		uint32_t before = t->out[field] ? field - t->out[field] : NO_PLACE;
		if (t->count - field > MAX_SHORT) {
			note_far(t, label);
			break;
		}
		t->out[field] = (wk_unit)(t->count - field);
		field = before;
	}
	for (uint32_t field = label->long_fixups; field != NO_PLACE;) {
		uint32_t before = t->out[field] | (uint32_t)t->out[field + 1] << 16;
		put_word(t->out + field, t->count - field);
		field = before;
	}
	label->fixups = label->long_fixups = NO_PLACE;
}
