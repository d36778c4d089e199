/* SPDX-License-Identifier: Apache-2.0
 * A sealed folder through wasi-libc, as programs use it. Run twice on one volume, with the folder as "/data" and a
 * scratch directory of the host as "/host": first with the argument "first", then with "second". A number behind "first"
 * is how many files there are to be at once, an even one: OP-TEE finds an object by reading the list of all of them, so
 * 500 take long there. */
#include "guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned many = 500;

static void streams(void)
{
	char line[64];
	FILE *file = fopen("/data/stream.txt", "w+");

	CHECK(file != NULL);
	if (!file)
		return;
	CHECK(fprintf(file, "number %d\n", 42) == 10);
	rewind(file);
	CHECK(fgets(line, sizeof line, file) && strcmp(line, "number 42\n") == 0);
	CHECK(!fgets(line, sizeof line, file) && feof(file));
	CHECK(fclose(file) == 0);
	file = fopen("/data/stream.txt", "a");
	CHECK(file && fputs("more", file) >= 0 && fclose(file) == 0);
	file = fopen("/data/stream.txt", "r");
	CHECK(file && fseek(file, -4, SEEK_END) == 0 && fgets(line, sizeof line, file) && strcmp(line, "more") == 0);
	CHECK(file && ftell(file) == 14 && fclose(file) == 0);
	CHECK(!fopen("/data/none", "r") && errno == ENOENT);
	CHECK(!fopen("/data/stream.txt", "wx") && errno == EEXIST);
}

static void descriptors(void)
{
	struct stat stat;
	struct timespec times[2] = { { 5, 0 }, { 6, 7 } };
	struct iovec pieces[2] = { { "hello ", 6 }, { "world", 5 } };
	char text[16] = "";
	int fd = open("/data/file", O_RDWR | O_CREAT | O_EXCL, 0666);

	CHECK(fd > 2);
	CHECK(writev(fd, pieces, 2) == 11);
	CHECK(lseek(fd, 0, SEEK_CUR) == 11);
	CHECK(pread(fd, text, 5, 6) == 5 && strcmp(text, "world") == 0);
	CHECK(pwrite(fd, "W", 1, 6) == 1);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(read(fd, text, 11) == 11 && memcmp(text, "hello World", 11) == 0);
	CHECK(read(fd, text, 11) == 0);
	CHECK(fstat(fd, &stat) == 0 && stat.st_size == 11 && S_ISREG(stat.st_mode) && stat.st_nlink == 1);
	CHECK(stat.st_mtim.tv_sec == 0 && stat.st_ino != 0);
	CHECK(ftruncate(fd, 5) == 0 && fstat(fd, &stat) == 0 && stat.st_size == 5);
	FAILS(futimens(fd, times), ENOTSUP);
	CHECK(posix_fallocate(fd, 0, 100) == 0 && fstat(fd, &stat) == 0 && stat.st_size == 100);
	CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0);
	CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
	CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0 && write(fd, "x", 1) == 1 && lseek(fd, 0, SEEK_CUR) == 101);
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK(!isatty(fd) && errno == ENOTTY);
	CHECK(close(fd) == 0);
	FAILS(close(fd), EBADF);
	fd = open("/data/file", O_RDONLY);
	FAILS(write(fd, "x", 1), EBADF);
	CHECK(close(fd) == 0);
	FAILS(open("/data/file/x", O_RDONLY), ENOTDIR);
	FAILS(open("/data", O_WRONLY), EISDIR);
	CHECK(access("/data/file", R_OK | W_OK) == 0);
	/* Without a name, until it is closed. */
	fd = open("/data/file", O_RDWR);
	CHECK(unlink("/data/file") == 0 && write(fd, "still", 5) == 5 && pread(fd, text, 5, 0) == 5);
	CHECK(memcmp(text, "still", 5) == 0 && fstat(fd, &stat) == 0 && stat.st_nlink == 0);
	CHECK(close(fd) == 0);
	FAILS(open("/data/file", O_RDONLY), ENOENT);
}

static void names(void)
{
	struct stat stat_;
	char text[PATH_MAX] = "";
	int fd = -1;

	CHECK(mkdir("/data/d", 0777) == 0);
	FAILS(mkdir("/data/d", 0777), EEXIST);
	FAILS(mkdir("/data/none/d", 0777), ENOENT);
	fd = open("/data/d/a", O_WRONLY | O_CREAT, 0666);
	CHECK(fd > 2 && write(fd, "abc", 3) == 3 && close(fd) == 0);
	FAILS(link("/data/d/a", "/data/d/b"), ENOTSUP);
	FAILS(symlink("a", "/data/d/s"), ENOTSUP);
	FAILS(readlink("/data/d/a", text, sizeof text), EINVAL);
	CHECK(rename("/data/d/a", "/data/d/c") == 0);
	FAILS(stat("/data/d/a", &stat_), ENOENT);
	FAILS(rename("/data/d/c", "/host/c"), EXDEV);
	FAILS(rename("/data/d", "/data/d/e"), EINVAL);
	FAILS(rmdir("/data/d"), ENOTEMPTY);
	FAILS(rmdir("/data/d/c"), ENOTDIR);
	FAILS(unlink("/data/d"), EISDIR);
	fd = open("/data/d", O_RDONLY | O_DIRECTORY);
	CHECK(fstatat(fd, "c", &stat_, 0) == 0 && stat_.st_size == 3);
	CHECK(unlinkat(fd, "c", 0) == 0);
	CHECK(mkdirat(fd, "e", 0777) == 0 && unlinkat(fd, "e", AT_REMOVEDIR) == 0);
	CHECK(close(fd) == 0);
	CHECK(rmdir("/data/d") == 0);
	FAILS(open("/data/../host", O_RDONLY), EPERM);
}

static void directories(void)
{
	unsigned count = 0, sum = 0, dots = 0;
	struct dirent *entry = NULL;
	DIR *dir = NULL;
	long middle = 0;

	CHECK(mkdir("/data/many", 0777) == 0);
	for (unsigned i = 0; i < many; i++) {
		char name[32];

		snprintf(name, sizeof name, "/data/many/%u", i);
		CHECK(close(open(name, O_WRONLY | O_CREAT, 0666)) == 0);
	}
	dir = opendir("/data/many");
	CHECK(dir != NULL);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.') {
			dots++;
			continue;
		}
		CHECK(entry->d_type == DT_REG && entry->d_ino != 0);
		sum += (unsigned)atoi(entry->d_name);
		count++;
	}
	CHECK(count == many && sum == (many - 1) * (many / 2) && dots == 2);
	rewinddir(dir);
	for (count = 0; count < many / 5; count++)
		CHECK(readdir(dir) != NULL);
	middle = telldir(dir);
	for (; count < many / 2; count++)
		CHECK(readdir(dir) != NULL);
	seekdir(dir, middle);
	for (count = 0; readdir(dir);)
		count++;
	CHECK(count == many - many / 5 + 2);
	rewinddir(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			CHECK(unlinkat(dirfd(dir), entry->d_name, 0) == 0);
	CHECK(closedir(dir) == 0);
	CHECK(rmdir("/data/many") == 0);
}

/* Block by block, as a database does it: what was written last is what is read. */
static void blocks(void)
{
	static unsigned char block[512], last[64];
	unsigned state = 12345;
	int fd = open("/data/blocks", O_RDWR | O_CREAT | O_TRUNC, 0666);

	CHECK(fd > 2);
	for (unsigned i = 0; i < 4 * many; i++) {
		state = state * 1103515245 + 12345;
		unsigned which = (state >> 16) % 64;

		memset(block, (int)(i & 0xff), sizeof block);
		last[which] = (unsigned char)i;
		CHECK(pwrite(fd, block, sizeof block, which * 512) == sizeof block);
	}
	for (unsigned i = 0; i < 64; i++) {
		CHECK(pread(fd, block, sizeof block, i * 512) == sizeof block);
		CHECK(block[0] == last[i] && block[511] == last[i]);
	}
	CHECK(close(fd) == 0);
}

static void waiting(void)
{
	int fd = open("/data/stream.txt", O_RDWR);
	struct pollfd items[2] = { { .fd = fd, .events = POLLIN }, { .fd = 1, .events = POLLOUT } };

	CHECK(poll(items, 2, 100000) == 2 && items[0].revents == POLLIN && items[1].revents == POLLOUT);
	CHECK(close(fd) == 0);
}

static void what_the_first_one_left(void)
{
	struct stat stat_;
	char line[64] = "";
	FILE *file = fopen("/data/stream.txt", "r");

	CHECK(file && fgets(line, sizeof line, file) && strcmp(line, "number 42\n") == 0 && fclose(file) == 0);
	CHECK(stat("/data/blocks", &stat_) == 0 && stat_.st_size == 64 * 512);
	CHECK(unlink("/data/stream.txt") == 0 && unlink("/data/blocks") == 0);
	CHECK(rename("/data/blocks", "/data/x") == -1 && errno == ENOENT);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "second") == 0) {
		RUN(what_the_first_one_left);
		return 0;
	}
	if (argc > 2)
		many = (unsigned)atoi(argv[2]);
	RUN(streams);
	RUN(descriptors);
	RUN(names);
	RUN(directories);
	RUN(blocks);
	RUN(waiting);
	return 0;
}
