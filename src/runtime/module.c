/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a module. Modules are shared by instances and threads, so they are counted; the last one to let go frees
 * what the engine has made of it, then the module, then its bytes if they were copied.
 */
#include "runtime/instance.h"

void wk_module_release(struct wk_module *module)
{
	struct wk_keep *keep;
	struct wk_span copy;

	if (!module || __atomic_sub_fetch(&module->references, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	keep = module->keep;
	copy = module->owns_bytes ? module->bytes : wk_span(NULL, 0);
	keep->engine->free(module);
	wk_module_free(module);
	if (copy.size != 0)
		wk_free(&keep->bytes, (void *)(uintptr_t)copy.data, copy.size);
}
