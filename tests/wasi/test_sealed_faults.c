/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed folders over a storage that fails: for each operation, each thing that it asks of the vault fails in turn,
 * before its work is done and after; the power is cut before each; each allocation is refused; and another guest does
 * something in between. What must hold afterwards, as seen by a system made anew: either the old volume or the new
 * one, the new one when the operation said that it was done, and no object that nobody names.
 */
#define _GNU_SOURCE
#include "wasi/sealed_side.h"

#include <stdlib.h>

struct run {
	struct side side;
	struct wk_wasi_object objects[2];
	bool open[2];
};

typedef enum wk_wasi_errno step(struct run *run);

static struct memory_vault base, vault;

/* ---- steps ---- */

static enum wk_wasi_errno open_into(struct run *run, unsigned which, const char *path, const char *letters)
{
	enum wk_wasi_errno error = side_open(&run->side, path, letters, &run->objects[which]);

	run->open[which] = error == WK_WASI_SUCCESS;
	return error;
}

static enum wk_wasi_errno close_it(struct run *run, unsigned which)
{
	run->open[which] = false;
	return side_close(&run->side, &run->objects[which]);
}

static enum wk_wasi_errno make_folder(struct run *run)
{
	return side_make(&run->side, "d/new");
}

static enum wk_wasi_errno remove_folder(struct run *run)
{
	return side_remove(&run->side, "e");
}

static enum wk_wasi_errno create(struct run *run)
{
	return open_into(run, 0, "d/new", "wcx");
}

static enum wk_wasi_errno open_to_read(struct run *run)
{
	return open_into(run, 0, "g", "r");
}

static enum wk_wasi_errno open_to_write(struct run *run)
{
	return open_into(run, 0, "g", "rw");
}

static enum wk_wasi_errno open_also_to_write(struct run *run)
{
	return open_into(run, 1, "g", "w");
}

static enum wk_wasi_errno truncate_by_opening(struct run *run)
{
	return open_into(run, 1, "g", "wct");
}

static enum wk_wasi_errno read_it(struct run *run)
{
	char text[8];

	return side_read(&run->side, &run->objects[0], text, sizeof text);
}

static enum wk_wasi_errno write_it(struct run *run)
{
	return side_write_at(&run->side, &run->objects[0], 4, "WRITTEN");
}

static enum wk_wasi_errno write_behind(struct run *run)
{
	return side_write_at(&run->side, &run->objects[0], 100, "behind the end");
}

static enum wk_wasi_errno append(struct run *run)
{
	struct wk_wasi_piece piece = { (uint8_t *)(uintptr_t)"more", 4 };
	const struct wk_wasi_system *system = run->side.system;
	uint64_t done = 0;

	return system->write(system->context, &run->objects[0], &piece, 1, WK_WASI_HERE, WK_WASI_APPEND, &done);
}

static enum wk_wasi_errno resize(struct run *run, uint64_t size)
{
	return run->side.system->set_size(run->side.system->context, &run->objects[0], size);
}

static enum wk_wasi_errno shorten(struct run *run)
{
	return resize(run, 3);
}

static enum wk_wasi_errno empty(struct run *run)
{
	return resize(run, 0);
}

static enum wk_wasi_errno lengthen(struct run *run)
{
	return resize(run, 5000);
}

static enum wk_wasi_errno unlink_it(struct run *run)
{
	return side_unlink(&run->side, "g");
}

static enum wk_wasi_errno close_first(struct run *run)
{
	return close_it(run, 0);
}

static enum wk_wasi_errno open_and_unlink(struct run *run)
{
	enum wk_wasi_errno error = open_to_read(run);

	return error == WK_WASI_SUCCESS ? unlink_it(run) : error;
}

static enum wk_wasi_errno open_to_write_and_unlink(struct run *run)
{
	enum wk_wasi_errno error = open_to_write(run);

	return error == WK_WASI_SUCCESS ? unlink_it(run) : error;
}

static enum wk_wasi_errno rename_file(struct run *run)
{
	return side_rename(&run->side, "g", "d/moved");
}

static enum wk_wasi_errno replace_file(struct run *run)
{
	return side_rename(&run->side, "d/f", "g");
}

static enum wk_wasi_errno rename_folder(struct run *run)
{
	return side_rename(&run->side, "h", "e/h");
}

static enum wk_wasi_errno replace_folder(struct run *run)
{
	return side_rename(&run->side, "h", "e");
}

static enum wk_wasi_errno stat_file(struct run *run)
{
	struct wk_wasi_stat stat;

	return side_stat(&run->side, "g", &stat);
}

static bool count_entry(void *sink, const struct wk_wasi_directory_entry *entry)
{
	(void)entry;
	++*(unsigned *)sink;
	return true;
}

static enum wk_wasi_errno list(struct run *run)
{
	const struct wk_wasi_system *system = run->side.system;
	unsigned count = 0;

	return system->read_directory(system->context, &run->side.root, 0, count_entry, &count);
}

static enum wk_wasi_errno refused(struct run *run)
{
	return side_make(&run->side, "d") == WK_WASI_EXIST ? WK_WASI_SUCCESS : WK_WASI_IO;
}

struct scenario {
	const char *name;
	step *prepare, *act;
	bool once;                /* doing it twice is not the same as once */
};

static const struct scenario scenarios[] = {
	{ "make a folder", NULL, make_folder, false },
	{ "remove a folder", NULL, remove_folder, false },
	{ "create a file", NULL, create, false },
	{ "open to read", NULL, open_to_read, false },
	{ "open to write", NULL, open_to_write, false },
	{ "open to write what is open to read", open_to_read, open_also_to_write, false },
	{ "truncate by opening", NULL, truncate_by_opening, false },
	{ "truncate what is open to read", open_to_read, truncate_by_opening, false },
	{ "truncate what is open to write", open_to_write, truncate_by_opening, false },
	{ "read", open_to_read, read_it, false },
	{ "write", open_to_write, write_it, false },
	{ "write behind the end", open_to_write, write_behind, false },
	{ "append", open_to_write, append, true },
	{ "shorten", open_to_write, shorten, false },
	{ "empty", open_to_write, empty, false },
	{ "lengthen", open_to_write, lengthen, false },
	{ "unlink", NULL, unlink_it, false },
	{ "unlink what is open to read", open_to_read, unlink_it, false },
	{ "unlink what is open to write", open_to_write, unlink_it, false },
	{ "close what was unlinked, open to read", open_and_unlink, close_first, true },
	{ "close what was unlinked, open to write", open_to_write_and_unlink, close_first, true },
	{ "write to what was unlinked", open_to_write_and_unlink, write_it, true },
	{ "empty what was unlinked", open_to_write_and_unlink, empty, true },
	{ "rename a file", NULL, rename_file, false },
	{ "replace a file", NULL, replace_file, false },
	{ "replace a file that is open to read", open_to_read, replace_file, false },
	{ "replace a file that is open to write", open_to_write, replace_file, false },
	{ "rename a folder", NULL, rename_folder, false },
	{ "replace a folder", NULL, replace_folder, false },
	{ "stat", NULL, stat_file, false },
	{ "list", NULL, list, false },
	{ "make what is there", NULL, refused, false },
};

#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

/* ---- running ---- */

static void make_base(void)
{
	struct side side = { 0 };

	memory_vault_init(&base);
	memory_vault_init(&vault);
	if (side_start(&side, &base) != WK_WASI_SUCCESS || side_make(&side, "d") != WK_WASI_SUCCESS ||
	    side_put(&side, "d/f", "content of f") != WK_WASI_SUCCESS || side_make(&side, "e") != WK_WASI_SUCCESS ||
	    side_put(&side, "g", "content of g") != WK_WASI_SUCCESS || side_make(&side, "h") != WK_WASI_SUCCESS ||
	    side_put(&side, "h/i", "content of i") != WK_WASI_SUCCESS || !side_end(&side))
		abort();
}

/* Leaves two objects behind that no index names: a removed file that somebody else had open, and one that was being
 * made when the power was cut. */
static void leave_something(struct side *side)
{
	static const uint8_t rest[8] = "rest";
	struct side other = { 0 };
	struct wk_wasi_object object;
	struct wk_wasi_stat stat;
	uint8_t id[SIDE_ID_SIZE];

	if (side_put(side, "junk", "junk") != WK_WASI_SUCCESS || side_start(&other, side->vault) != WK_WASI_SUCCESS ||
	    side_open(&other, "junk", "r", &object) != WK_WASI_SUCCESS ||
	    side_unlink(side, "junk") != WK_WASI_SUCCESS ||
	    other.system->stat(other.system->context, &object, &stat) != WK_WASI_SUCCESS ||
	    side_close(&other, &object) != WK_WASI_SUCCESS || !side_end(&other))
		abort();
	side_id((uint32_t)stat.inode + 1, id);
	memory_vault_put(side->vault, id, sizeof id, rest, sizeof rest);
}

static void leave_something_behind(void)
{
	struct side side = { 0 };

	if (side_start(&side, &vault) != WK_WASI_SUCCESS)
		abort();
	leave_something(&side);
	if (!side_end(&side))
		abort();
}

static void begin_run(struct run *run, const struct scenario *scenario)
{
	memset(run, 0, sizeof *run);
	if (side_start(&run->side, &vault) != WK_WASI_SUCCESS ||
	    (scenario->prepare && scenario->prepare(run) != WK_WASI_SUCCESS))
		abort();
}

static bool end_run(struct run *run)
{
	for (unsigned i = 0; i < 2; i++)
		if (run->open[i])
			close_it(run, i);
	return side_end(&run->side);
}

static void begin_scenario(struct run *run, const struct scenario *scenario)
{
	memory_vault_reboot(&vault);
	memory_vault_copy(&vault, &base);
	begin_run(run, scenario);
	leave_something(&run->side);
	memory_vault_reset(&vault);
	run->side.heap.asked = 0;
}

static char *keep(const char *text)
{
	return text ? strdup(text) : NULL;
}

static bool is(const char *dump, const char *wanted)
{
	return dump && strcmp(dump, wanted) == 0;
}

/* The volume before and after an operation that nothing disturbs, and what it asked for. */
struct outcome {
	char *before, *after;
	uint64_t operations, allocations;
};

static struct outcome undisturbed(const struct scenario *scenario)
{
	struct outcome outcome = { 0 };
	struct run run;

	begin_scenario(&run, scenario);
	CHECK(end_run(&run));
	outcome.before = keep(side_dump(&vault, true));
	begin_scenario(&run, scenario);
	CHECK_EQUAL(scenario->act(&run), WK_WASI_SUCCESS);
	outcome.operations = vault.asked;
	outcome.allocations = run.side.heap.asked;
	CHECK(end_run(&run));
	outcome.after = keep(side_dump(&vault, true));
	if (!outcome.before || !outcome.after)
		abort();
	return outcome;
}

static void forget(struct outcome *outcome)
{
	free(outcome->before);
	free(outcome->after);
}

/* ---- the storage fails ---- */

static void fail_once(const struct scenario *scenario, const struct outcome *wanted, uint64_t n, unsigned how)
{
	struct run run;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;
	const char *dump = NULL;
	bool good = true;

	begin_scenario(&run, scenario);
	vault.fail_at = n;
	vault.fail_after = how & 1;
	vault.keep_failing = how & 2;
	vault.failure = how & 4 ? WK_WASI_NOSPC : WK_WASI_IO;
	error = scenario->act(&run);
	good &= CHECK(vault.failed != 0);
	memory_vault_reset(&vault);
	if (error != WK_WASI_SUCCESS && !scenario->once) {
		/* The same system goes on as if nothing had been, and what was not done can be done. */
		(void)scenario->act(&run);
		good &= CHECK(end_run(&run));
		dump = side_dump(&vault, true);
		good &= CHECK(is(dump, wanted->after));
	} else {
		good &= CHECK(end_run(&run));
		dump = side_dump(&vault, true);
		good &= CHECK(is(dump, wanted->after) || (error != WK_WASI_SUCCESS && is(dump, wanted->before)));
	}
	good &= CHECK_EQUAL(memory_vault_open(&vault), 0);
	if (!good)
		printf("# %s, operation %d fails, %u: errno %d\n# got\n%s# before\n%s# after\n%s", scenario->name, (int)n, how,
			error, dump ? dump : "?\n", wanted->before, wanted->after);
}

TEST(each_operation_of_the_storage_fails)
{
	for (size_t i = 0; i < SCENARIOS; i++) {
		struct outcome outcome = undisturbed(&scenarios[i]);

		for (uint64_t n = 1; n <= outcome.operations; n++)
			for (unsigned how = 0; how < 8; how++)
				fail_once(&scenarios[i], &outcome, n, how);
		forget(&outcome);
	}
}

/* Not done, or done with an error: seen without a second try. */
TEST(each_operation_fails_and_nobody_tries_again)
{
	for (size_t i = 0; i < SCENARIOS; i++) {
		struct outcome outcome = undisturbed(&scenarios[i]);
		struct scenario once = scenarios[i];

		once.once = true;
		for (uint64_t n = 1; n <= outcome.operations; n++)
			for (unsigned how = 0; how < 4; how++)
				fail_once(&once, &outcome, n, how);
		forget(&outcome);
	}
}

/* A file without a name whose handle was given up after an error: nobody here may take it for left behind. */
TEST(a_removed_file_after_an_error)
{
	char text[32];
	struct run run;

	begin_scenario(&run, &scenarios[0]);
	CHECK_EQUAL(open_to_write_and_unlink(&run), WK_WASI_SUCCESS);
	vault.fail_at = vault.asked + 1;
	CHECK_EQUAL(write_it(&run), WK_WASI_IO);
	CHECK_EQUAL(make_folder(&run), WK_WASI_SUCCESS);
	CHECK_EQUAL(write_it(&run), WK_WASI_SUCCESS);
	CHECK_EQUAL(side_read_at(&run.side, &run.objects[0], 0, text, sizeof text), WK_WASI_SUCCESS);
	CHECK_TEXT(text, "contWRITTENg");
	CHECK(end_run(&run));
	CHECK(side_dump(&vault, true) != NULL);
}

/* ---- the power is cut ---- */

static void cut_power(const struct scenario *scenario, const struct outcome *wanted, uint64_t n)
{
	struct run run;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;
	const char *dump = NULL;
	bool good = true;

	begin_scenario(&run, scenario);
	vault.cut_at = n;
	error = scenario->act(&run);
	good &= CHECK(end_run(&run));
	memory_vault_reboot(&vault);
	dump = side_dump(&vault, true);
	good &= CHECK(is(dump, wanted->after) || (error != WK_WASI_SUCCESS && is(dump, wanted->before)));
	if (!good)
		printf("# %s, power cut before operation %d: errno %d\n# got\n%s# before\n%s# after\n%s", scenario->name,
			(int)n, error, dump ? dump : "?\n", wanted->before, wanted->after);
}

TEST(the_power_is_cut)
{
	for (size_t i = 0; i < SCENARIOS; i++) {
		struct outcome outcome = undisturbed(&scenarios[i]);

		for (uint64_t n = 1; n <= outcome.operations + 1; n++)
			cut_power(&scenarios[i], &outcome, n);
		forget(&outcome);
	}
}

/* ---- making and tidying a volume ---- */

TEST(opening_the_volume_fails)
{
	for (unsigned fresh = 0; fresh < 2; fresh++) {
		for (unsigned how = 0; how < 5; how++) {
			for (uint64_t n = 1;; n++) {
				struct side side = { 0 }, again = { 0 };
				enum wk_wasi_errno error = WK_WASI_SUCCESS;
				bool failed = false;

				memory_vault_reboot(&vault);
				memory_vault_copy(&vault, &base);
				if (fresh)
					for (struct memory_object *object; (object = vault.objects);) {
						vault.objects = object->next;
						free(object->data);
						free(object);
					}
				if (!fresh)
					leave_something_behind();
				memory_vault_reset(&vault);
				if (how == 4) {
					vault.cut_at = n;
				} else {
					vault.fail_at = n;
					vault.fail_after = how & 1;
					vault.keep_failing = how & 2;
				}
				error = side_start(&side, &vault);
				CHECK(side_end(&side));
				failed = vault.failed != 0;
				CHECK(failed || error == WK_WASI_SUCCESS);
				memory_vault_reboot(&vault);
				CHECK_EQUAL(side_start(&again, &vault), WK_WASI_SUCCESS);
				CHECK_EQUAL(side_put(&again, "file", "text"), WK_WASI_SUCCESS);
				CHECK(side_end(&again));
				CHECK(side_dump(&vault, true) != NULL);
				if (!failed)
					break;
			}
		}
	}
}

/* ---- memory is refused ---- */

static void refuse_memory(const struct scenario *scenario, const struct outcome *wanted, uint64_t n, bool keep_failing)
{
	struct run run;
	enum wk_wasi_errno error = WK_WASI_SUCCESS;
	const char *dump = NULL;
	bool good = true;

	begin_scenario(&run, scenario);
	run.side.heap.fail_at = n;
	run.side.heap.keep_failing = keep_failing;
	error = scenario->act(&run);
	run.side.heap.fail_at = 0;
	good &= CHECK(run.side.heap.failed != 0);
	good &= CHECK_EQUAL(error, WK_WASI_NOMEM);
	good &= CHECK(end_run(&run));
	dump = side_dump(&vault, true);
	good &= CHECK(is(dump, wanted->before));
	good &= CHECK_EQUAL(memory_vault_open(&vault), 0);
	if (!good)
		printf("# %s, allocation %d is refused\n", scenario->name, (int)n);
}

TEST(each_allocation_is_refused)
{
	for (size_t i = 0; i < SCENARIOS; i++) {
		struct outcome outcome = undisturbed(&scenarios[i]);

		/* What is refused for another reason says so first. */
		for (uint64_t n = 1; scenarios[i].act != refused && n <= outcome.allocations; n++) {
			refuse_memory(&scenarios[i], &outcome, n, false);
			refuse_memory(&scenarios[i], &outcome, n, true);
		}
		forget(&outcome);
	}
}

TEST(opening_the_volume_without_memory)
{
	for (unsigned keep_failing = 0; keep_failing < 2; keep_failing++) {
		for (uint64_t n = 1;; n++) {
			struct side side = { .heap = { .fail_at = n, .keep_failing = keep_failing } };
			enum wk_wasi_errno error = WK_WASI_SUCCESS;
			bool failed = false;

			memory_vault_reboot(&vault);
			memory_vault_copy(&vault, &base);
			error = side_start(&side, &vault);
			failed = side.heap.failed != 0;
			CHECK_EQUAL(error, failed ? WK_WASI_NOMEM : WK_WASI_SUCCESS);
			CHECK(side_end(&side));
			CHECK_EQUAL(memory_vault_open(&vault), 0);
			CHECK(side_dump(&vault, true) != NULL);
			if (!failed)
				break;
		}
	}
}

/* ---- another guest, in between ---- */

struct intruder {
	const struct scenario *scenario;
	struct run run;
	uint64_t at;              /* before this operation of the other's */
	enum wk_wasi_errno error;
	bool done;
};

static void intrude(struct memory_vault *from, void *hook)
{
	struct intruder *intruder = hook;

	if (from->asked != intruder->at) {
		from->before = intrude;
		return;
	}
	intruder->error = intruder->scenario->act(&intruder->run);
	intruder->done = true;
}

/* False: the two cannot even be prepared together, since one has open what the other wants. */
static bool begin_pair(struct run *run, struct intruder *intruder, const struct scenario *ours,
	const struct scenario *theirs)
{
	begin_scenario(run, ours);
	memset(intruder, 0, sizeof *intruder);
	intruder->scenario = theirs;
	if (side_start(&intruder->run.side, &vault) != WK_WASI_SUCCESS)
		abort();
	if (!theirs->prepare || theirs->prepare(&intruder->run) == WK_WASI_SUCCESS) {
		memory_vault_reset(&vault);
		return true;
	}
	CHECK(end_run(&intruder->run) && end_run(run));
	return false;
}

static const char *end_pair(struct run *run, struct intruder *intruder)
{
	memory_vault_reset(&vault);
	CHECK(end_run(run));
	CHECK(end_run(&intruder->run));
	return side_dump(&vault, true);
}

/* One after the other, in both orders, and the first alone. */
static bool in_turn(const struct scenario *ours, const struct scenario *theirs, char *dumps[3], uint64_t *operations)
{
	struct intruder intruder;
	struct run run;

	for (unsigned order = 0; order < 3; order++) {
		if (!begin_pair(&run, &intruder, ours, theirs))
			return false;
		if (order == 2)
			(void)theirs->act(&intruder.run);
		memory_vault_reset(&vault);
		(void)ours->act(&run);
		if (order == 0)
			*operations = vault.asked;
		if (order == 1)
			(void)theirs->act(&intruder.run);
		dumps[order] = keep(end_pair(&run, &intruder));
		if (!dumps[order])
			abort();
	}
	return true;
}

static void interleave(const struct scenario *ours, const struct scenario *theirs, char *dumps[3], uint64_t at)
{
	struct intruder intruder;
	struct run run;
	const char *dump = NULL;
	bool good = true;

	if (!begin_pair(&run, &intruder, ours, theirs))
		abort();
	intruder.at = at;
	vault.before = intrude;
	vault.hook = &intruder;
	(void)ours->act(&run);
	good &= CHECK(intruder.done);
	dump = end_pair(&run, &intruder);
	good &= CHECK(is(dump, dumps[1]) || is(dump, dumps[2]) ||
		(intruder.error != WK_WASI_SUCCESS && is(dump, dumps[0])));
	if (!good)
		printf("# %s, and before operation %d: %s, errno %d\n# got\n%s", ours->name, (int)at, theirs->name,
			intruder.error, dump ? dump : "?\n");
}

TEST(another_guest_in_between)
{
	unsigned pairs = 0;

	for (size_t i = 0; i < SCENARIOS; i++) {
		for (size_t j = 0; j < SCENARIOS; j++) {
			char *dumps[3] = { NULL, NULL, NULL };
			uint64_t operations = 0;

			if (in_turn(&scenarios[i], &scenarios[j], dumps, &operations)) {
				pairs++;
				for (uint64_t at = 1; at <= operations; at++)
					interleave(&scenarios[i], &scenarios[j], dumps, at);
			}
			for (unsigned k = 0; k < 3; k++)
				free(dumps[k]);
		}
	}
	printf("# %u pairs\n", pairs);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_base();
	RUN(each_operation_of_the_storage_fails);
	RUN(each_operation_fails_and_nobody_tries_again);
	RUN(a_removed_file_after_an_error);
	RUN(the_power_is_cut);
	RUN(opening_the_volume_fails);
	RUN(each_allocation_is_refused);
	RUN(opening_the_volume_without_memory);
	RUN(another_guest_in_between);
	memory_vault_reboot(&vault);
	memory_vault_end(&vault);
	memory_vault_end(&base);
	return test_end();
}
