/* SPDX-License-Identifier: Apache-2.0
 * embed FILE: loads a wasm module that may import env.log (i32) -> () and calls its export "run" () -> i32. */
#include <stdio.h>
#include <wasmkeep/wasmkeep.h>

static enum wk_status log_number(void *context, struct wk_caller *caller, const struct wk_value *arguments,
	struct wk_value *results)
{
	(void)context, (void)caller, (void)results;
	printf("the guest says %d\n", arguments[0].of.i32);
	return WK_OK;
}

static enum wk_status run(struct wk_linker *linker, struct wk_module *module, struct wk_report *report)
{
	struct wk_instance *instance = NULL;
	struct wk_value result;
	enum wk_status status = wk_linker_define_function(linker, "env", "log", "i:", log_number, NULL);
	if (status == WK_OK)
		status = wk_linker_instantiate(linker, module, report, &instance);
	if (status == WK_OK)
		status = wk_func_call(wk_instance_function(instance, "run"), NULL, 0, &result, 1, report);
	if (status == WK_OK)
		printf("run gave %d\n", result.of.i32);
	return status;
}

int main(int argc, char **argv)
{
	static unsigned char bytes[1 << 20];
	struct wk_keep *keep = NULL;
	struct wk_module *module = NULL;
	struct wk_store *store = NULL;
	struct wk_linker *linker = NULL;
	struct wk_report report;
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
	wk_report_clear(&report);
	int failed = !file || wk_keep_new(NULL, &keep) ||
		wk_module_load(keep, bytes, size, WK_LOAD_BORROW, &report, &module) ||
		wk_store_new(keep, NULL, &store) || wk_linker_new(store, &linker) || run(linker, module, &report);
	if (failed)
		fprintf(stderr, "%s\n", file ? report.text : "usage: embed FILE");
	wk_linker_delete(linker);
	wk_store_delete(store);
	wk_module_release(module);
	wk_keep_delete(keep);
	return failed;
}
