/* SPDX-License-Identifier: Apache-2.0
 * Tries to leave "/" by libc's means; run.sh has laid links and a folder beside it, and looks afterwards whether anything
 * changed there. */
#include "guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const ways[] = { "/../out/secret", "../out/secret", "/a/../../out/secret", "/rel", "/abs", "/dir/secret",
	"/absdir/secret", "/chain/secret", "/a/up/secret" };

/* wasi-libc finds no directory for what is above "/" (ENOENT, ENOTCAPABLE); WASI itself says EPERM. */
static bool refused(long long result)
{
	return result == -1 && (errno == EPERM || errno == ENOTCAPABLE || errno == ENOENT || errno == EEXIST);
}

static void opening(void)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		CHECK(refused(open(ways[i], O_RDONLY)));
		CHECK(refused(open(ways[i], O_WRONLY | O_TRUNC)));
		CHECK(refused(open(ways[i], O_WRONLY | O_CREAT, 0666)));
	}
	CHECK(refused(open("/dangling", O_WRONLY | O_CREAT, 0666)));
	CHECK(refused(open("/etc/passwd", O_RDONLY)));
}

static void links(void)
{
	CHECK(symlink("../../../../../../etc/passwd", "/own") == 0);
	CHECK(refused(open("/own", O_RDONLY)));
	CHECK(refused(symlink("/etc/passwd", "/own2")));
	CHECK(symlink("../out", "/a/fine") == 0);
	CHECK(rename("/a/fine", "/moved") == 0);
	CHECK(refused(open("/moved/secret", O_RDONLY)));
	CHECK(link("/rel", "/hard") == 0);
	CHECK(refused(open("/hard", O_RDONLY)));
	CHECK(refused(link("/dir/secret", "/stolen")));
}

static void names(void)
{
	struct stat info;

	CHECK(refused(stat("/dir/secret", &info)));
	CHECK(refused(unlink("/dir/secret")));
	CHECK(refused(rename("/dir/secret", "/stolen")));
	CHECK(refused(rename("/file", "/dir/secret")));
	CHECK(refused(mkdir("/dir/new", 0777)));
	CHECK(refused(rmdir("/dir/empty")));
	CHECK(!opendir("/dir") && !opendir("/..") && !opendir("/a/../.."));
}

int main(void)
{
	RUN(opening);
	RUN(links);
	RUN(names);
	return 0;
}
