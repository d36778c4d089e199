/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks, reports, outcomes and accounts as bytes: what is written is read back, and what is wrong with bytes from the
 * other world is seen, wherever they are cut or changed.
 */
#include "unit/test.h"
#include "unit/faults.h"

#include "host/host.h"
#include "remote/bytes.h"
#include "remote/task.h"

static struct test_heap heap;
static struct wk_allocator allocator;
static struct wk_budget budget;

static void begin(uint64_t limit)
{
	heap = (struct test_heap){ 0 };
	allocator = test_heap_allocator(&heap);
	wk_budget_init(&budget, NULL, "test", limit, &allocator);
}

static void end(void)
{
	CHECK(budget.used == 0 && heap.blocks == 0);
	wk_budget_end(&budget);
}

/* Reads from a copy that is exactly as large, so that a sanitizer sees the first byte behind it. */
static enum wk_status read_task(const uint8_t *bytes, size_t size, struct wk_report *report, struct wk_task **task)
{
	uint8_t *copy = malloc(size ? size : 1);
	enum wk_status status;

	if (!copy)
		abort();
	if (size != 0)
		memcpy(copy, bytes, size);
	wk_report_clear(report);
	status = wk_task_read(&budget, copy, size, report, task);
	/* What was read must not need the other world's bytes any more. */
	memset(copy, 0xee, size);
	free(copy);
	CHECK((status == WK_OK) == (report->text[0] == 0));
	CHECK(report->status == status);
	return status;
}

static bool is_refused(const uint8_t *bytes, size_t size)
{
	struct wk_report report;
	struct wk_task *task = NULL;
	enum wk_status status = read_task(bytes, size, &report, &task);

	wk_task_free(&budget, task);
	return status == WK_BAD_ARGUMENT;
}

/* ---- the pieces ---- */

TEST(a_writer_counts_what_does_not_fit)
{
	uint8_t bytes[8] = { 0 };
	struct wk_writer w = { bytes, 6, 0 };

	wk_write32(&w, 0x04030201);
	CHECK_EQUAL(w.used, 4);
	wk_write32(&w, 0xffffffff); /* not in part */
	CHECK_EQUAL(w.used, 8);
	CHECK(bytes[3] == 4 && bytes[4] == 0 && bytes[5] == 0);
	/* And nothing that comes later, though it would fit. */
	wk_write(&w, "x", 1);
	CHECK_EQUAL(w.used, 9);
	CHECK(bytes[4] == 0 && bytes[5] == 0 && bytes[6] == 0);

	struct wk_writer none = { NULL, 0, 0 };
	wk_write_text(&none, "text");
	wk_write64(&none, 1);
	wk_write(&none, NULL, 0);
	CHECK_EQUAL(none.used, 13);
}

TEST(a_reader_stays_at_its_end)
{
	const uint8_t bytes[] = { 1, 0, 0, 0, 'a', 'b', 0, 'c' };
	struct wk_reader r = { bytes, bytes + sizeof bytes, false };
	char text[3];

	CHECK_EQUAL(wk_read32(&r), 1);
	CHECK(wk_read_text_to(&r, text, 3));
	CHECK_TEXT(text, "ab");
	CHECK(!r.short_ && r.end - r.at == 1);
	CHECK_TEXT(wk_read_text(&r), ""); /* it has no NUL */
	CHECK(r.short_ && r.at == r.end);
	CHECK(wk_read(&r, 1) == NULL && wk_read32(&r) == 0 && wk_read64(&r) == 0 && !wk_read_text_to(&r, text, 3));

	r = (struct wk_reader){ bytes, bytes + sizeof bytes, false };
	CHECK(wk_read(&r, SIZE_MAX) == NULL && r.short_);
	r = (struct wk_reader){ bytes + 4, bytes + 7, false };
	CHECK(!wk_read_text_to(&r, text, 2)); /* one byte too long */
	r = (struct wk_reader){ NULL, NULL, false };
	CHECK(wk_read32(&r) == 0 && r.short_);
}

/* ---- tasks ---- */

static const char *const arguments[] = { "program", "", "--x=\xc3\xa9" };
static const char *const environment[] = { "A=1", "B=" };
static const struct wk_wasi_preopen folders[] = { { .host = "/tmp/x", .guest = "/" },
	{ .host = "sealed", .read_only = true }, { .host = "", .guest = "" } };
static const int sockets[] = { 3, 0, INT32_MAX };
static const struct wk_value values[] = {
	{ .kind = WK_I32, .of.i32 = -2 }, { .kind = WK_I64, .of.i64 = INT64_MIN }, { .kind = WK_F32, .of.f32 = 1.5f },
	{ .kind = WK_F64, .of.f64 = -0.0 },
	{ .kind = WK_V128, .of.v128 = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
	{ .kind = WK_FUNCREF }, { .kind = WK_EXTERNREF, .of.ref = 77 }, { .kind = WK_EXNREF },
};

static const struct wk_task full = {
	.program = { .store = { .fuel = true, .stack_size = 123456, .memory_limit = UINT64_MAX }, .fuel = UINT64_C(1) << 40,
		.translate = true },
	.wasi = { .arguments = arguments, .argument_count = WK_COUNT(arguments), .environment = environment,
		.environment_count = WK_COUNT(environment), .preopens = folders, .preopen_count = WK_COUNT(folders),
		.sockets = sockets, .socket_count = WK_COUNT(sockets) },
	.invoke = "run", .arguments = values, .argument_count = WK_COUNT(values),
};

static bool same_value(const struct wk_value *a, const struct wk_value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case WK_I32:
	case WK_F32:
		return a->of.i32 == b->of.i32;
	case WK_V128:
		return memcmp(a->of.v128, b->of.v128, 16) == 0;
	default:
		return a->of.i64 == b->of.i64;
	}
}

static void check_texts(const char *const *got, size_t got_count, const char *const *wanted, size_t count)
{
	REQUIRE(got_count == count);
	for (size_t i = 0; i < count; i++)
		CHECK_TEXT(got[i], wanted[i]);
}

static void check_same(const struct wk_task *got, const struct wk_task *wanted)
{
	const struct wk_wasi_config *w = &got->wasi, *v = &wanted->wasi;

	CHECK(got->program.store.fuel == wanted->program.store.fuel && got->program.fuel == wanted->program.fuel);
	CHECK(got->program.translate == wanted->program.translate && got->program.wasi == w);
	CHECK_EQUAL(got->program.store.stack_size, wanted->program.store.stack_size);
	CHECK_EQUAL(got->program.store.memory_limit, wanted->program.store.memory_limit);
	CHECK((got->invoke != NULL) == (wanted->invoke != NULL));
	if (got->invoke && wanted->invoke)
		CHECK_TEXT(got->invoke, wanted->invoke);
	REQUIRE(got->argument_count == wanted->argument_count);
	for (size_t i = 0; i < got->argument_count; i++)
		CHECK(same_value(&got->arguments[i], &wanted->arguments[i]));
	check_texts(w->arguments, w->argument_count, v->arguments, v->argument_count);
	check_texts(w->environment, w->environment_count, v->environment, v->environment_count);
	REQUIRE(w->preopen_count == v->preopen_count && w->socket_count == v->socket_count);
	for (size_t i = 0; i < w->preopen_count; i++) {
		CHECK_TEXT(w->preopens[i].host, v->preopens[i].host);
		CHECK_TEXT(w->preopens[i].guest, v->preopens[i].guest ? v->preopens[i].guest : v->preopens[i].host);
		CHECK_EQUAL(w->preopens[i].read_only, v->preopens[i].read_only);
	}
	for (size_t i = 0; i < w->socket_count; i++)
		CHECK_EQUAL(w->sockets[i], v->sockets[i]);
	CHECK(w->stdio == NULL && w->system == NULL);
}

static void there_and_back(const struct wk_task *task)
{
	size_t size = wk_task_write(task, NULL, 0);
	uint8_t *bytes = malloc(size);
	struct wk_report report;
	struct wk_task *read = NULL;

	REQUIRE(bytes != NULL);
	begin(WK_UNLIMITED);
	CHECK_EQUAL(wk_task_write(task, bytes, size), size);
	if (CHECK_EQUAL(read_task(bytes, size, &report, &read), WK_OK))
		check_same(read, task);
	wk_task_free(&budget, read);
	end();
	free(bytes);
}

TEST(a_task_is_read_as_it_was_written)
{
	struct wk_task task = full;

	there_and_back(&full);
	there_and_back(&(struct wk_task){ 0 });
	task.invoke = "";
	there_and_back(&task);
	task.argument_count = 0;
	task.program.store.fuel = false;
	task.wasi.socket_count = task.wasi.environment_count = 0;
	there_and_back(&task);
	task = (struct wk_task){ .program = { .translate = true, .fuel = UINT64_MAX } };
	there_and_back(&task);
}

/* As many of everything as there may be, and as many bytes. */
TEST(the_largest_task)
{
	static struct wk_value many[WK_TASK_VALUES + 1];
	static const char *texts[100000];
	struct wk_task task = full;
	size_t size;

	for (size_t i = 0; i < WK_COUNT(many); i++)
		many[i] = (struct wk_value){ .kind = WK_I32, .of.i32 = (int32_t)i };
	for (size_t i = 0; i < WK_COUNT(texts); i++)
		texts[i] = i % 3 ? "x" : "";
	task.arguments = many;
	task.argument_count = WK_TASK_VALUES;
	task.wasi.arguments = texts;
	task.wasi.argument_count = WK_COUNT(texts);
	there_and_back(&task);

	char *long_text = calloc(1, WK_TASK_MAX);
	uint8_t *bytes = calloc(1, WK_TASK_MAX + 1);
	REQUIRE(long_text && bytes);
	task = full;
	task.invoke = long_text;
	size = wk_task_write(&task, NULL, 0);
	memset(long_text, 'n', WK_TASK_MAX - size);
	CHECK_EQUAL(wk_task_write(&task, bytes, WK_TASK_MAX), WK_TASK_MAX);
	there_and_back(&task);
	begin(WK_UNLIMITED);
	CHECK(!is_refused(bytes, WK_TASK_MAX));
	CHECK(is_refused(bytes, WK_TASK_MAX + 1));
	/* One value too many. */
	task = full;
	task.arguments = many;
	task.argument_count = WK_TASK_VALUES + 1;
	size = wk_task_write(&task, bytes, WK_TASK_MAX);
	CHECK(size < WK_TASK_MAX && is_refused(bytes, size));
	end();
	free(long_text);
	free(bytes);
}

TEST(a_task_in_too_little_room)
{
	uint8_t bytes[1024], whole[1024];
	size_t size = wk_task_write(&full, whole, sizeof whole);

	REQUIRE(size < sizeof whole);
	for (size_t room = 0; room < size; room++) {
		memset(bytes, 0x77, sizeof bytes);
		CHECK_EQUAL(wk_task_write(&full, bytes, room), size);
		for (size_t i = room; i < size + 8; i++)
			if (!CHECK(bytes[i] == 0x77))
				return;
	}
}

TEST(a_task_cut_anywhere)
{
	uint8_t bytes[1025];
	size_t size = wk_task_write(&full, bytes, sizeof bytes - 1);

	begin(WK_UNLIMITED);
	for (size_t cut = 0; cut < size; cut++)
		CHECK(is_refused(bytes, cut));
	CHECK(!is_refused(bytes, size));
	bytes[size] = 0;
	CHECK(is_refused(bytes, size + 1)); /* one byte nobody asked for */
	/* Without the NUL of the last text. */
	bytes[size - 1] = 'x';
	CHECK(is_refused(bytes, size));
	end();
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof value);
}

/* Flags at 0, then the counts at 4, 8, 12, 16, 20. */
TEST(wrong_flags_and_counts)
{
	static const uint32_t wrong[] = { 1, 2, 5, 100, 1024, 1025, 0x10000, 0x0ccccccd, 0x2aaaaaab, 0x40000000, 0x7fffffff,
		0x80000000, 0xfffffff0, 0xffffffff };
	uint8_t bytes[1024], changed[1024];
	size_t size = wk_task_write(&full, bytes, sizeof bytes);

	begin(WK_UNLIMITED);
	for (size_t at = 4; at <= 20; at += 4) {
		for (size_t i = 0; i < WK_COUNT(wrong); i++) {
			uint32_t count;

			memcpy(changed, bytes, size);
			memcpy(&count, bytes + at, sizeof count);
			if (count == wrong[i])
				continue;
			put32(changed + at, wrong[i]);
			if (!CHECK(is_refused(changed, size)))
				printf("# at %zu: %x\n", at, (unsigned)wrong[i]);
			put32(changed + at, count + wrong[i]);
			CHECK(is_refused(changed, size));
		}
	}
	for (size_t at = 4; at <= 20; at += 4) /* all of them, so that sums overflow */
		put32(changed + at, UINT32_MAX);
	CHECK(is_refused(changed, size));
	for (unsigned bit = 3; bit < 32; bit++) {
		memcpy(changed, bytes, size);
		put32(changed, 7u | 1u << bit);
		CHECK(is_refused(changed, size));
	}
	end();
}

/* A hostile count gets no memory that its bytes have not earned. */
TEST(memory_is_earned)
{
	uint8_t bytes[1024] = { 0 };

	begin(8192);
	put32(bytes + 8, UINT32_MAX);
	CHECK(is_refused(bytes, sizeof bytes));
	put32(bytes + 8, sizeof bytes - 24 + 1);
	CHECK(is_refused(bytes, sizeof bytes));
	CHECK(budget.peak <= sizeof bytes);
	end();
}

/* In kinds and references; an externref is any number, other references are null. */
TEST(wrong_values)
{
	uint8_t bytes[1024], changed[1024];
	size_t size = wk_task_write(&full, bytes, sizeof bytes), first = 24 + 24;
	struct wk_report report;
	struct wk_task *task = NULL;

	begin(WK_UNLIMITED);
	for (size_t i = 0; i < WK_COUNT(values); i++) {
		bool null = values[i].kind == WK_FUNCREF || values[i].kind == WK_EXNREF;

		memcpy(changed, bytes, size);
		put32(changed + first + 20 * i, WK_ANYREF + 1);
		CHECK(is_refused(changed, size));
		put32(changed + first + 20 * i, UINT32_MAX);
		CHECK(is_refused(changed, size));
		put32(changed + first + 20 * i, WK_I32 - 1u);
		CHECK(is_refused(changed, size));
		memcpy(changed, bytes, size);
		memset(changed + first + 20 * i + 4, 0xff, 16);
		CHECK_EQUAL(is_refused(changed, size), null);
		memcpy(changed, bytes, size);
		changed[first + 20 * i + 4 + 7] = 0x80; /* the highest bit of 64 */
		CHECK_EQUAL(is_refused(changed, size), null);
	}
	/* A descriptor is never negative. */
	memcpy(changed, bytes, size);
	put32(changed + first + 20 * WK_COUNT(values), UINT32_MAX);
	REQUIRE(read_task(changed, size, &report, &task) == WK_OK);
	CHECK_EQUAL(task->wasi.sockets[0], INT32_MAX);
	wk_task_free(&budget, task);
	end();
}

/* A NUL in a text makes it two: then there is one too many. */
TEST(a_nul_in_a_text)
{
	uint8_t bytes[1024];
	size_t size = wk_task_write(&full, bytes, sizeof bytes);
	size_t texts = 48 + 20 * WK_COUNT(values) + 4 * WK_COUNT(sockets) + 4 * WK_COUNT(folders);

	begin(WK_UNLIMITED);
	for (size_t at = texts; at < size; at++) {
		uint8_t kept = bytes[at];

		bytes[at] = kept ? 0 : 'x';
		CHECK(is_refused(bytes, size));
		bytes[at] = kept;
	}
	CHECK(!is_refused(bytes, size));
	end();
}

TEST(every_byte_changed)
{
	uint8_t bytes[1024];
	size_t size = wk_task_write(&full, bytes, sizeof bytes);
	unsigned taken = 0;

	begin(WK_UNLIMITED);
	for (size_t at = 0; at < size; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[at] ^= (uint8_t)(1u << bit);
			taken += !is_refused(bytes, size);
			bytes[at] ^= (uint8_t)(1u << bit);
		}
	}
	printf("# %u of %zu changes make another task\n", taken, size * 8);
	CHECK(taken > 0 && taken < size * 8);
	end();
}

static enum wk_status reading(const struct wk_allocator *with, void *context)
{
	struct wk_budget own;
	struct wk_task *task = NULL;
	struct wk_report report;
	uint8_t bytes[1024];
	size_t size = wk_task_write(context, bytes, sizeof bytes);
	enum wk_status status;

	wk_report_clear(&report);
	wk_budget_init(&own, NULL, "test", WK_UNLIMITED, with);
	status = wk_task_read(&own, bytes, size, &report, &task);
	CHECK(report.status == status && (status == WK_OK) == (task != NULL));
	wk_task_free(&own, task);
	wk_budget_end(&own);
	return status;
}

TEST(reading_without_memory)
{
	struct wk_task task = full;

	test_every_failure("reading a task", reading, &task);
	begin(100);
	uint8_t bytes[1024];
	struct wk_report report;
	struct wk_task *read = NULL;
	size_t size = wk_task_write(&full, bytes, sizeof bytes);
	CHECK_EQUAL(read_task(bytes, size, &report, &read), WK_NO_MEMORY);
	CHECK_EQUAL(report.refusal.limit, WK_LIMIT_BUDGET);
	end();
	begin(WK_UNLIMITED);
	wk_task_free(&budget, NULL);
	end();
}

/* ---- reports ---- */

static void fill_report(struct wk_report *report)
{
	wk_report_clear(report);
	*report = (struct wk_report){ .status = WK_NO_MEMORY, .trap = WK_TRAP_COUNT - 1, .offset = 0x123456789a,
		.function = 42, .frame_count = WK_REPORT_FRAMES, .frame_total = UINT64_MAX,
		.refusal = { .limit = WK_LIMIT_KIND_COUNT - 1, .subject = "47 bytes, as long as the name of a thing may be",
			.asked = 1, .used = 2, .value = UINT64_MAX } };
	memset(report->text, 't', sizeof report->text - 1);
	for (uint32_t i = 0; i < WK_REPORT_FRAMES; i++) {
		report->frames[i] = (struct wk_frame){ .function = i, .offset = WK_NO_OFFSET - i };
		memset(report->frames[i].name, 'a' + (int)i % 26, sizeof report->frames[i].name - 1);
	}
}

static void check_reports(const struct wk_report *got, const struct wk_report *wanted)
{
	CHECK(got->status == wanted->status && got->trap == wanted->trap && got->offset == wanted->offset);
	CHECK(got->function == wanted->function && got->frame_total == wanted->frame_total);
	CHECK_TEXT(got->text, wanted->text);
	CHECK(got->refusal.limit == wanted->refusal.limit && got->refusal.asked == wanted->refusal.asked);
	CHECK(got->refusal.used == wanted->refusal.used && got->refusal.value == wanted->refusal.value);
	if (wanted->refusal.limit != WK_LIMIT_NONE)
		CHECK_TEXT(got->refusal.subject, wanted->refusal.subject);
	REQUIRE(got->frame_count == wanted->frame_count);
	for (uint32_t i = 0; i < got->frame_count; i++) {
		CHECK_EQUAL(got->frames[i].function, wanted->frames[i].function);
		CHECK_EQUAL(got->frames[i].offset, wanted->frames[i].offset);
		CHECK_TEXT(got->frames[i].name, wanted->frames[i].name);
	}
}

TEST(reports)
{
	struct wk_report written, got;
	char subject[WK_SUBJECT_MAX];
	uint8_t bytes[WK_REPORT_MAX];
	size_t size;

	wk_report_clear(&written);
	size = wk_report_write(&written, bytes, sizeof bytes);
	REQUIRE(wk_report_read(bytes, size, &got, subject));
	check_reports(&got, &written);

	fill_report(&written);
	size = wk_report_write(&written, bytes, sizeof bytes);
	CHECK(size <= WK_REPORT_MAX); /* the largest that there is */
	REQUIRE(wk_report_read(bytes, size, &got, subject));
	check_reports(&got, &written);
	CHECK(got.refusal.subject == subject);
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut + 1);

		REQUIRE(copy != NULL);
		memcpy(copy + 1, bytes, cut);
		CHECK(!wk_report_read(copy + 1, cut, &got, subject));
		free(copy);
	}
	CHECK_EQUAL(wk_report_write(&written, NULL, 0), size);
	memset(bytes, 0x77, sizeof bytes);
	CHECK_EQUAL(wk_report_write(&written, bytes, 100), size);
	CHECK_EQUAL(bytes[100], 0x77);
}

/* Status at 0, trap at 4, frames at 20, the refusal's limit at 32, its subject at 60. */
TEST(wrong_reports)
{
	static const struct { size_t at; uint32_t value; } wrong[] = { { 0, WK_STATUS_COUNT }, { 0, UINT32_MAX },
		{ 0, 0x80000000 }, { 4, WK_TRAP_COUNT }, { 4, UINT32_MAX }, { 20, WK_REPORT_FRAMES + 1 }, { 20, UINT32_MAX },
		{ 32, WK_LIMIT_KIND_COUNT }, { 32, 0x80000000 } };
	struct wk_report written, got;
	char subject[WK_SUBJECT_MAX];
	uint8_t bytes[WK_REPORT_MAX], changed[WK_REPORT_MAX];
	size_t size, text = 60 + WK_SUBJECT_MAX, frames = text + WK_REPORT_TEXT;

	fill_report(&written);
	size = wk_report_write(&written, bytes, sizeof bytes);
	for (size_t i = 0; i < WK_COUNT(wrong); i++) {
		memcpy(changed, bytes, size);
		put32(changed + wrong[i].at, wrong[i].value);
		CHECK(!wk_report_read(changed, size, &got, subject));
	}
	/* Texts that do not end where they must. */
	CHECK(bytes[text - 1] == 0 && bytes[frames - 1] == 0 && bytes[frames + 12 + 47] == 0);
	for (unsigned i = 0; i < 3; i++) {
		memcpy(changed, bytes, size);
		changed[i == 0 ? text - 1 : i == 1 ? frames - 1 : frames + 12 + 47] = 'x';
		CHECK(!wk_report_read(changed, size, &got, subject));
	}
}

/* ---- outcomes ---- */

static struct wk_outcome outcome;

TEST(outcomes)
{
	static struct wk_value many[WK_TASK_VALUES];
	static uint8_t bytes[WK_OUTCOME_MAX];
	struct wk_value results[WK_COUNT(values) + 1];
	struct wk_report report;
	size_t size;

	memcpy(results, values, sizeof values);
	results[5].of.ref = 0x123456789abc; /* a function's address: nobody is to know it */
	results[7].of.ref = 0x123456789abd;
	results[WK_COUNT(values)] = (struct wk_value){ .kind = WK_ANYREF, .of.ref = 0 };
	wk_report_clear(&report);
	size = wk_outcome_write(&report, true, UINT32_MAX, UINT64_MAX, results, WK_COUNT(results), bytes, sizeof bytes);
	REQUIRE(wk_outcome_read(bytes, size, &outcome));
	check_reports(&outcome.report, &report);
	CHECK(outcome.exited && outcome.exit_code == UINT32_MAX && outcome.fuel == UINT64_MAX);
	REQUIRE(outcome.result_count == WK_COUNT(results));
	for (uint32_t i = 0; i < outcome.result_count; i++)
		if (i != 5 && i != 7)
			CHECK(same_value(&outcome.results[i], &results[i]));
	CHECK(outcome.results[5].of.ref == 1 && outcome.results[7].of.ref == 1);
	uint8_t address[6] = { 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12 };
	for (size_t i = 0; i + sizeof address <= size; i++)
		CHECK(memcmp(bytes + i, address, sizeof address) != 0);
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut + 1);

		REQUIRE(copy != NULL);
		memcpy(copy + 1, bytes, cut);
		CHECK(!wk_outcome_read(copy + 1, cut, &outcome));
		free(copy);
	}

	/* The largest, with room for an account. */
	fill_report(&report);
	for (size_t i = 0; i < WK_COUNT(many); i++)
		many[i] = values[4];
	size = wk_outcome_write(&report, false, 0, 0, many, WK_TASK_VALUES, bytes, sizeof bytes);
	CHECK(size + WK_ACCOUNT_MAX <= WK_OUTCOME_MAX);
	CHECK(wk_outcome_read(bytes, size, &outcome) && outcome.result_count == WK_TASK_VALUES && !outcome.exited);
	/* The count stands before the values. */
	put32(bytes + size - 20 * WK_TASK_VALUES - 4, WK_TASK_VALUES + 1);
	CHECK(!wk_outcome_read(bytes, sizeof bytes, &outcome));
	put32(bytes + size - 20 * WK_TASK_VALUES - 4, UINT32_MAX);
	CHECK(!wk_outcome_read(bytes, sizeof bytes, &outcome));
	put32(bytes + size - 20 * WK_TASK_VALUES - 4, WK_TASK_VALUES);
	put32(bytes + size - 20, WK_ANYREF + 1);
	CHECK(!wk_outcome_read(bytes, size, &outcome));
	/* A status that does not belong to any. */
	put32(bytes, WK_STATUS_COUNT);
	CHECK(!wk_outcome_read(bytes, size, &outcome));
}

/* ---- accounts ---- */

TEST(accounts)
{
	struct wk_keep *keep = NULL;
	struct wk_keep_config config = { .memory_limit = 1 << 20 };
	struct wk_report report;
	struct wk_memory_node nodes[WK_MEMORY_NODES];
	struct wk_usage usage;
	struct wk_account account;
	struct wk_refusal refusal;
	uint64_t refusals;
	uint8_t bytes[WK_ACCOUNT_MAX], changed[WK_ACCOUNT_MAX];
	void *block = NULL;
	size_t size;

	REQUIRE(wk_keep_new(&config, &keep) == WK_OK);
	wk_report_clear(&report);
	CHECK_EQUAL(wk_module_bytes(keep, 2 << 20, &report, &block), WK_NO_MEMORY);
	size = wk_account_write(keep, bytes, sizeof bytes);
	CHECK(size < WK_ACCOUNT_MAX && wk_account_write(keep, NULL, 0) == size);
	REQUIRE(wk_account_read(bytes, size, &account));
	CHECK_EQUAL(account.count, wk_keep_memory(keep, nodes, WK_MEMORY_NODES));
	for (uint32_t i = 0; i < account.count; i++) {
		CHECK_TEXT(account.nodes[i].name, nodes[i].name);
		CHECK(account.nodes[i].depth == nodes[i].depth && account.nodes[i].used == nodes[i].used);
		CHECK(account.nodes[i].peak == nodes[i].peak && account.nodes[i].limit == nodes[i].limit);
		CHECK_EQUAL(account.nodes[i].moved, nodes[i].moved);
	}
	CHECK(wk_keep_refusal(keep, &refusal, &refusals));
	CHECK(account.refusals == refusals && account.refusal.limit == refusal.limit);
	CHECK_EQUAL(account.refusal.asked, refusal.asked);
	CHECK_TEXT(account.refusal.subject, refusal.subject);
	wk_keep_usage(keep, &usage);
	CHECK(memcmp(&account.usage, &usage, sizeof usage) == 0);

	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(cut + 1);

		REQUIRE(copy != NULL);
		memcpy(copy + 1, bytes, cut);
		CHECK(!wk_account_read(copy + 1, cut, &account));
		free(copy);
	}
	memcpy(changed, bytes, size);
	put32(changed, WK_MEMORY_NODES + 1);
	CHECK(!wk_account_read(changed, size, &account));
	put32(changed, UINT32_MAX);
	CHECK(!wk_account_read(changed, size, &account));
	memcpy(changed, bytes, size);
	memset(changed + 4, 'x', WK_SUBJECT_MAX); /* a name that is too long by its NUL */
	CHECK(!wk_account_read(changed, size, &account));
	wk_keep_delete(keep);
}

/* An account of no keep says nothing, and is read. */
TEST(an_account_of_nothing)
{
	uint8_t bytes[WK_ACCOUNT_MAX];
	struct wk_account account;
	size_t size = wk_account_write(NULL, bytes, sizeof bytes);

	REQUIRE(wk_account_read(bytes, size, &account));
	CHECK(account.count == 0 && account.refusal.limit == WK_LIMIT_NONE && account.refusals == 0);
}

int main(void)
{
	RUN(a_writer_counts_what_does_not_fit);
	RUN(a_reader_stays_at_its_end);
	RUN(a_task_is_read_as_it_was_written);
	RUN(the_largest_task);
	RUN(a_task_in_too_little_room);
	RUN(a_task_cut_anywhere);
	RUN(wrong_flags_and_counts);
	RUN(memory_is_earned);
	RUN(wrong_values);
	RUN(a_nul_in_a_text);
	RUN(every_byte_changed);
	RUN(reading_without_memory);
	RUN(reports);
	RUN(wrong_reports);
	RUN(outcomes);
	RUN(accounts);
	RUN(an_account_of_nothing);
	return test_end();
}
