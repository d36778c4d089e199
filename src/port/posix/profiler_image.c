/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the functions of an image are: its symbols say it, with sizes, also of what belongs to no function. The library's
 * tables know only where functions begin.
 *
 * The file was checked when it was loaded (library.c), and is open as long as it is; all the same nothing is read that it
 * does not have.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/posix/profiler.h"
#include "runtime/instance.h"

/* `count` things of `size` bytes at an offset of the file; NULL: it does not have them. */
static const void *part(struct wk_span file, uint64_t offset, uint64_t count, uint64_t size)
{
	if (offset > file.size || offset % 8 != 0 || count > (file.size - offset) / size)
		return NULL;
	return file.data + offset;
}

/* Symbols are called wasm.INDEX or wasm.INDEX.NAME (compiler/module.c). */
static uint32_t function_of(const char *name, const char *end, uint32_t count)
{
	static const char prefix[] = "wasm.";
	uint64_t index = 0;

	if ((size_t)(end - name) < sizeof prefix || memcmp(name, prefix, sizeof prefix - 1) != 0)
		return WK_NO_FUNCTION;
	name += sizeof prefix - 1;
	if (*name < '0' || *name > '9')
		return WK_NO_FUNCTION;
	for (; name < end && *name >= '0' && *name <= '9' && index < count; name++)
		index = index * 10 + (uint64_t)(*name - '0');
	return index < count ? (uint32_t)index : WK_NO_FUNCTION;
}

static int by_address(const void *a, const void *b)
{
	const struct wk_profiler_code *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Sorts them, and cuts what reaches into the next. */
static void arrange(struct wk_profiler_image *image)
{
	if (image->count != 0)
		qsort(image->codes, image->count, sizeof *image->codes, by_address);
	for (size_t i = 1; i < image->count; i++)
		if (image->codes[i - 1].end > image->codes[i].begin)
			image->codes[i - 1].end = image->codes[i].begin;
}

static bool read_symbols(struct wk_span file, const Elf64_Shdr *table, const Elf64_Shdr *names, uintptr_t base,
	uint32_t function_count, struct wk_profiler_image *image)
{
	size_t count = table->sh_size / sizeof(Elf64_Sym);
	const Elf64_Sym *symbols = part(file, table->sh_offset, count, sizeof *symbols);

	if (!symbols || names->sh_offset > file.size || names->sh_size > file.size - names->sh_offset)
		return true;
	image->codes = calloc(count + 1, sizeof *image->codes);
	if (!image->codes)
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *text = (const char *)file.data + names->sh_offset, *end = text + names->sh_size;

		if (ELF64_ST_TYPE(symbols[i].st_info) != STT_FUNC || symbols[i].st_name >= names->sh_size || symbols[i].st_size == 0)
			continue;
		image->codes[image->count++] = (struct wk_profiler_code){ base + symbols[i].st_value,
			base + symbols[i].st_value + symbols[i].st_size,
			function_of(text + symbols[i].st_name, end, function_count) };
	}
	arrange(image);
	return true;
}

static bool read_file(struct wk_span file, uintptr_t base, uint32_t function_count, struct wk_profiler_image *image)
{
	const Elf64_Ehdr *header = part(file, 0, 1, sizeof *header);
	const Elf64_Shdr *sections;

	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_shentsize != sizeof *sections)
		return true;
	sections = part(file, header->e_shoff, header->e_shnum, sizeof *sections);
	for (uint32_t i = 0; sections && i < header->e_shnum; i++)
		if (sections[i].sh_type == SHT_SYMTAB && sections[i].sh_link < header->e_shnum)
			return read_symbols(file, &sections[i], &sections[sections[i].sh_link], base, function_count, image);
	return true;
}

bool wk_profiler_read_image(const struct wk_module *module, struct wk_profiler_image *image)
{
	struct stat status;
	bool good = true;
	Dl_info about;
	void *bytes;
	int file;

	/* What lies in the library tells which it is; its name is that of the open file. */
	if (!module->native || dladdr(module->native->has, &about) == 0 || !about.dli_fname)
		return true;
	file = open(about.dli_fname, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return true;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
		if (bytes != MAP_FAILED) {
			good = read_file(wk_span(bytes, (size_t)status.st_size), (uintptr_t)about.dli_fbase, module->func_count, image);
			munmap(bytes, (size_t)status.st_size);
		}
	}
	close(file);
	return good;
}

const struct wk_profiler_code *wk_profiler_find(const struct wk_profiler_image *image, uintptr_t at)
{
	size_t low = 0, high = image->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (at >= image->codes[middle].end)
			low = middle + 1;
		else
			high = middle;
	}
	return low < image->count && at >= image->codes[low].begin ? &image->codes[low] : NULL;
}
