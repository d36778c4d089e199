/* SPDX-License-Identifier: Apache-2.0
 *
 * refusals MODULE...: real programs, with the provider's first, second, ... last request refused, alone and with all later
 * ones, over load, instantiation, run, growth and the end. Each time it must end in success or in an error that says it
 * was memory, with every budget at zero (wk_keep_delete looks) and nothing lost.
 */
#include "unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <wasmkeep/memory.h>
#include <wasmkeep/wasi.h>

#include "port/fault/fault.h"

struct file {
	unsigned char *bytes;
	size_t size;
};

static bool read_file(const char *path, struct file *file)
{
	FILE *stream = fopen(path, "rb");

	if (!stream)
		return false;
	file->bytes = malloc(1 << 20);
	file->size = file->bytes ? fread(file->bytes, 1, 1 << 20, stream) : 0;
	fclose(stream);
	return file->size != 0;
}

static enum wk_status run_in(struct wk_store *store, struct wk_module *module, struct wk_report *report)
{
	static const char *const arguments[] = { "program", "30" };
	int null = open("/dev/null", O_RDWR);
	int streams[3] = { null, null, null };
	struct wk_wasi_config config = { .arguments = arguments, .argument_count = 2, .stdio = streams };
	struct wk_linker *linker = NULL;
	struct wk_wasi *wasi = NULL;
	struct wk_instance *instance = NULL;
	enum wk_status status = wk_linker_new(store, &linker);

	if (status == WK_OK)
		status = wk_wasi_new(store, &config, report, &wasi);
	if (status == WK_OK)
		status = wk_wasi_define(wasi, linker, module);
	if (status == WK_OK)
		status = wk_linker_instantiate(linker, module, report, &instance);
	if (status == WK_OK)
		status = wk_func_call(wk_instance_function(instance, "_start"), NULL, 0, NULL, 0, report);
	wk_linker_delete(linker);
	wk_wasi_delete(wasi);
	close(null);
	return status;
}

/* A whole life; returns how it ended. */
static enum wk_status live(const struct file *file, struct wk_provider *provider, struct wk_report *report)
{
	/* Enough for the program, not for more: it is refused by the budget, too. */
	struct wk_keep_config config = { .provider = provider, .memory_limit = 4 << 20 };
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	struct wk_store *store = NULL;
	enum wk_status status = wk_keep_new(&config, &keep);

	if (status == WK_OK)
		status = wk_module_load(keep, file->bytes, file->size, WK_LOAD_COPY, report, &module);
	if (status == WK_OK)
		status = wk_store_new(keep, NULL, &store);
	if (status == WK_OK)
		status = run_in(store, module, report);
	wk_store_delete(store);
	wk_module_release(module);
	wk_keep_delete(keep);
	return status;
}

static bool is_success(enum wk_status status) { return status == WK_OK || status == WK_EXIT; }

/* The program may survive a refusal, or say itself that it has no memory and exit: then it is WK_EXIT. */
static bool is_refusal(enum wk_status status, const struct wk_report *report)
{
	return status == WK_NO_MEMORY || (status == WK_TRAP && report->trap == WK_TRAP_NO_MEMORY) || status == WK_TRAP;
}

static void refuse_each(const struct file *file, bool keep_failing)
{
	uint64_t n = 1;

	for (;; n++) {
		struct wk_fault fault;
		struct wk_report report;

		wk_fault_init(&fault, NULL);
		wk_fault_plan(&fault, n, keep_failing);
		fault.provider.scarce = n % 2 == 0; /* steps of both kinds */
		wk_report_clear(&report);
		enum wk_status status = live(file, &fault.provider, &report);
		if (!CHECK(is_success(status) || is_refusal(status, &report)) || !CHECK(is_success(status) || fault.failed != 0))
			printf("# request %llu: %s\n", (unsigned long long)n, report.text);
		CHECK_EQUAL(fault.reserved_bytes, 0);
		if (fault.failed == 0)
			break;
	}
	printf("# %llu requests\n", (unsigned long long)n - 1);
	CHECK(n > 5);
}

static struct file current;

TEST(each_alone) { refuse_each(&current, false); }
TEST(each_and_all_later) { refuse_each(&current, true); }

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!read_file(argv[i], &current)) {
			fprintf(stderr, "cannot read %s\n", argv[i]);
			return 1;
		}
		RUN(each_alone);
		RUN(each_and_all_later);
		free(current.bytes);
	}
	return test_end();
}
