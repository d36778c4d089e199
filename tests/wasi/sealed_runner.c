/* SPDX-License-Identifier: Apache-2.0
 *
 * sealed_runner MODULE: runs a program compiled with wasi-libc twice over one sealed volume in memory, with the arguments
 * "first" and "second". It sees the volume as "/data", and a scratch folder of the host as "/host". Then the volume must
 * be empty again.
 */
#define _GNU_SOURCE
#include "wasi/driver.h"
#include "wasi/memory_vault.h"

#include <stdlib.h>

#include "port/posix/wasi_posix.h"
#include "wasi/mount.h"
#include "wasi/sealed.h"

static const uint8_t volume[WK_SEALED_VOLUME] = { 1, 2, 3 };
static struct memory_vault vault;

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(1 << 22);

	if (!file || !bytes)
		abort();
	*size = fread(bytes, 1, 1 << 22, file);
	fclose(file);
	return bytes;
}

static enum wk_status start(struct wk_keep *keep, struct wk_store *store, struct wk_wasi *wasi, const uint8_t *bytes,
	size_t size, struct wk_report *report)
{
	struct wk_linker *linker = NULL;
	struct wk_module *module = NULL;
	struct wk_instance *instance = NULL;
	enum wk_status status = wk_linker_new(store, &linker);

	if (status == WK_OK)
		status = wk_module_load(keep, bytes, size, WK_LOAD_COPY, report, &module);
	if (status == WK_OK)
		status = wk_wasi_define(wasi, linker, module);
	if (status == WK_OK)
		status = wk_linker_instantiate(linker, module, report, &instance);
	if (status == WK_OK)
		status = wk_func_call(wk_instance_function(instance, "_start"), NULL, 0, NULL, 0, report);
	wk_module_release(module);
	wk_linker_delete(linker);
	return status;
}

/* A keep of its own, as if each were a session of the TA. */
static int run(const uint8_t *bytes, size_t size, const char *argument)
{
	const char *const arguments[] = { "sealed", argument };
	struct wk_wasi_preopen preopens[2] = { { .host = "sealed", .guest = "/data" }, { .guest = "/host" } };
	struct wk_wasi_config config = { .arguments = arguments, .argument_count = 2, .preopens = preopens,
		.preopen_count = 2 };
	struct wk_keep *keep = NULL;
	struct wk_store *store = NULL;
	struct wk_sealed *sealed = NULL;
	struct wk_wasi *wasi = NULL;
	struct wk_mount mount;
	struct wk_report report;
	enum wk_status status = WK_OK;
	int code = -1;

	wk_report_clear(&report);
	preopens[1].host = scratch("");
	if (wk_keep_new(NULL, &keep) != WK_OK || wk_store_new(keep, NULL, &store) != WK_OK ||
	    wk_sealed_new(&keep->wasi, &vault.vault, volume, &report, &sealed) != WK_OK)
		abort();
	wk_mount_init(&mount, &wk_wasi_posix_system, wk_sealed_system(sealed), "sealed");
	config.system = &mount.system;
	status = wk_wasi_new(store, &config, &report, &wasi);
	if (status == WK_OK)
		status = start(keep, store, wasi, bytes, size, &report);
	if (status == WK_OK)
		code = 0;
	else if (status == WK_EXIT)
		code = (int)wk_store_exit_code(store);
	else
		printf("# %s: %s\n", wk_status_text(status), report.text);
	wk_wasi_delete(wasi);
	wk_store_delete(store);
	wk_sealed_delete(sealed);
	wk_keep_delete(keep);
	return code;
}

int main(int argc, char **argv)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	int codes[2] = { -1, -1 };
	bool empty = false;

	if (argc != 2)
		return 2;
	bytes = read_file(argv[1], &size);
	scratch_begin();
	memory_vault_init(&vault);
	codes[0] = run(bytes, size, "first");
	codes[1] = run(bytes, size, "second");
	printf("%s - exit statuses of the sealed guest: %d, %d\n", codes[0] || codes[1] ? "not ok" : "ok", codes[0],
		codes[1]);
	empty = memory_vault_objects(&vault) == 1 && memory_vault_open(&vault) == 0;
	printf("%s - the sealed guest tidies up\n", empty ? "ok" : "not ok");
	memory_vault_reboot(&vault);
	memory_vault_end(&vault);
	scratch_end();
	free(bytes);
	return codes[0] || codes[1] || !empty;
}
