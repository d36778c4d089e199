/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a module. Modules are shared by instances and threads, so they are counted; the last one to let go frees
 * what the engine has made of it, then the module, then its bytes if they were copied.
 */
#include "runtime/instance.h"

void wk_held_free(struct wk_keep *keep, struct wk_held *held)
{
	if (!held)
		return;
	wk_linear_end(&held->bytes);
	wk_free(&keep->modules, held, sizeof *held);
}

void wk_module_release(struct wk_module *module)
{
	struct wk_keep *keep;
	struct wk_held *held;

	if (!module || __atomic_sub_fetch(&module->references, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	keep = module->keep;
	held = module->held;
	keep->engine->free(module);
	if (module->native)
		module->native->free(module);
	wk_module_free(module);
	wk_held_free(keep, held);
}
