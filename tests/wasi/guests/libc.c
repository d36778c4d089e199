/* SPDX-License-Identifier: Apache-2.0
 * WASI through wasi-libc, as programs use it. Run with a scratch directory as "/" and "guest=1" in the environment, and
 * the arguments "one" and "two words". */
#include "guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int argument_count;
static char **arguments;

static void the_program(void)
{
	CHECK(argument_count == 3);
	CHECK(strcmp(arguments[1], "one") == 0);
	CHECK(strcmp(arguments[2], "two words") == 0);
	CHECK(getenv("guest") && strcmp(getenv("guest"), "1") == 0);
	CHECK(!getenv("HOME"));
	CHECK(sched_yield() == 0);
}

static void time_and_chance(void)
{
	struct timespec before, after, pause = { 0, 20000000 };
	unsigned char bytes[256] = { 0 };
	int zeros = 0;

	CHECK(time(NULL) > 1700000000);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
	CHECK(nanosleep(&pause, NULL) == 0);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
	CHECK((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 20000000);
	CHECK(clock_getres(CLOCK_REALTIME, &before) == 0);
	CHECK(usleep(1000) == 0);
	CHECK(getentropy(bytes, sizeof bytes) == 0);
	for (size_t i = 0; i < sizeof bytes; i++)
		zeros += bytes[i] == 0;
	CHECK(zeros < 30);
}

static void streams(void)
{
	char line[64];
	FILE *file = fopen("/stream.txt", "w+");

	CHECK(file != NULL);
	if (!file)
		return;
	CHECK(fprintf(file, "number %d\n", 42) == 10);
	rewind(file);
	CHECK(fgets(line, sizeof line, file) && strcmp(line, "number 42\n") == 0);
	CHECK(!fgets(line, sizeof line, file) && feof(file));
	CHECK(fclose(file) == 0);
	file = fopen("/stream.txt", "a");
	CHECK(file && fputs("more", file) >= 0 && fclose(file) == 0);
	file = fopen("/stream.txt", "r");
	CHECK(file && fseek(file, -4, SEEK_END) == 0 && fgets(line, sizeof line, file) && strcmp(line, "more") == 0);
	CHECK(file && ftell(file) == 14 && fclose(file) == 0);
	CHECK(!fopen("/none", "r") && errno == ENOENT);
	CHECK(!fopen("/stream.txt", "wx") && errno == EEXIST);
	CHECK(remove("/stream.txt") == 0);
	FAILS(remove("/stream.txt"), ENOENT);
}

static void descriptors(void)
{
	struct stat stat;
	struct timespec times[2] = { { 5, 0 }, { 6, 7 } };
	struct iovec pieces[2] = { { "hello ", 6 }, { "world", 5 } };
	char text[16] = "";
	int fd = open("/file", O_RDWR | O_CREAT | O_EXCL, 0666);

	CHECK(fd > 2);
	CHECK(writev(fd, pieces, 2) == 11);
	CHECK(lseek(fd, 0, SEEK_CUR) == 11);
	CHECK(pread(fd, text, 5, 6) == 5 && strcmp(text, "world") == 0);
	CHECK(pwrite(fd, "W", 1, 6) == 1);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(read(fd, text, 11) == 11 && memcmp(text, "hello World", 11) == 0);
	CHECK(read(fd, text, 11) == 0);
	CHECK(fstat(fd, &stat) == 0 && stat.st_size == 11 && S_ISREG(stat.st_mode) && stat.st_nlink == 1);
	CHECK(ftruncate(fd, 5) == 0 && fstat(fd, &stat) == 0 && stat.st_size == 5);
	CHECK(futimens(fd, times) == 0 && fstat(fd, &stat) == 0 && stat.st_mtim.tv_sec == 6 && stat.st_mtim.tv_nsec == 7);
	CHECK(posix_fallocate(fd, 0, 100) == 0 && fstat(fd, &stat) == 0 && stat.st_size == 100);
	CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0);
	CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
	CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0 && (fcntl(fd, F_GETFL) & O_APPEND));
	CHECK(write(fd, "x", 1) == 1 && lseek(fd, 0, SEEK_CUR) == 101);
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK(!isatty(fd) && errno == ENOTTY);
	CHECK(close(fd) == 0);
	FAILS(close(fd), EBADF);
	FAILS(write(fd, "x", 1), EBADF);
	fd = open("/file", O_RDONLY);
	FAILS(write(fd, "x", 1), EBADF);
	CHECK(close(fd) == 0);
	FAILS(open("/file", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
	FAILS(open("/file/x", O_RDONLY), ENOTDIR);
	FAILS(open("/", O_WRONLY), EISDIR);
	fd = open("/", O_RDONLY);
	CHECK(fd > 2);
	FAILS(read(fd, text, 1), EBADF);
	CHECK(close(fd) == 0);
	CHECK(access("/file", R_OK | W_OK) == 0);
	FAILS(access("/none", F_OK), ENOENT);
	CHECK(unlink("/file") == 0);
}

static void names(void)
{
	struct stat stat_, other;
	char text[32] = "";
	int fd = -1;

	CHECK(mkdir("/d", 0777) == 0);
	FAILS(mkdir("/d", 0777), EEXIST);
	FAILS(mkdir("/none/d", 0777), ENOENT);
	fd = open("/d/a", O_WRONLY | O_CREAT, 0666);
	CHECK(fd > 2 && write(fd, "abc", 3) == 3 && close(fd) == 0);
	CHECK(link("/d/a", "/d/b") == 0);
	CHECK(stat("/d/a", &stat_) == 0 && stat("/d/b", &other) == 0);
	CHECK(stat_.st_ino == other.st_ino && stat_.st_nlink == 2 && stat_.st_dev == other.st_dev);
	CHECK(symlink("a", "/d/s") == 0);
	CHECK(readlink("/d/s", text, sizeof text) == 1 && text[0] == 'a');
	FAILS(readlink("/d/a", text, sizeof text), EINVAL);
	CHECK(lstat("/d/s", &stat_) == 0 && S_ISLNK(stat_.st_mode));
	CHECK(stat("/d/s", &stat_) == 0 && S_ISREG(stat_.st_mode) && stat_.st_size == 3);
	CHECK(rename("/d/b", "/d/c") == 0);
	FAILS(stat("/d/b", &stat_), ENOENT);
	FAILS(rename("/d/b", "/d/c"), ENOENT);
	FAILS(rmdir("/d"), ENOTEMPTY);
	FAILS(rmdir("/d/a"), ENOTDIR);
	FAILS(unlink("/d"), EISDIR);
	FAILS(open("/d/s", O_RDONLY | O_NOFOLLOW), ELOOP);
	fd = open("/d", O_RDONLY | O_DIRECTORY);
	CHECK(fstatat(fd, "a", &stat_, 0) == 0);
	CHECK(unlinkat(fd, "a", 0) == 0 && unlinkat(fd, "c", 0) == 0 && unlinkat(fd, "s", 0) == 0);
	CHECK(mkdirat(fd, "e", 0777) == 0 && unlinkat(fd, "e", AT_REMOVEDIR) == 0);
	CHECK(close(fd) == 0);
	CHECK(rmdir("/d") == 0);
}

static void directories(void)
{
	unsigned count = 0, sum = 0, dots = 0;
	struct dirent *entry = NULL;
	DIR *dir = NULL;
	long middle = 0;

	CHECK(mkdir("/many", 0777) == 0);
	for (unsigned i = 0; i < 500; i++) {
		char name[32];

		snprintf(name, sizeof name, "/many/%u", i);
		CHECK(close(open(name, O_WRONLY | O_CREAT, 0666)) == 0);
	}
	dir = opendir("/many");
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
	CHECK(count == 500 && sum == 499 * 250 && dots == 2);
	/* Back to a place remembered. (At the end this wasi-libc's seekdir() does nothing.) */
	rewinddir(dir);
	for (count = 0; count < 100; count++)
		CHECK(readdir(dir) != NULL);
	middle = telldir(dir);
	for (; count < 300; count++)
		CHECK(readdir(dir) != NULL);
	seekdir(dir, middle);
	for (count = 0; readdir(dir);)
		count++;
	CHECK(count == 402);
	rewinddir(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			CHECK(unlinkat(dirfd(dir), entry->d_name, 0) == 0);
	CHECK(closedir(dir) == 0);
	CHECK(rmdir("/many") == 0);
	CHECK(!opendir("/many") && errno == ENOENT);
}

static void waiting(void)
{
	struct pollfd items[2] = { { .fd = 1, .events = POLLOUT }, { .fd = 99, .events = POLLIN } };
	struct timeval none = { 0, 0 };
	fd_set set;

	CHECK(poll(items, 1, 1000) == 1 && items[0].revents == POLLOUT);
	CHECK(poll(items, 2, 1000) == 2 && items[1].revents == POLLNVAL);
	CHECK(poll(NULL, 0, 10) == 0);
	FD_ZERO(&set);
	FD_SET(1, &set);
	CHECK(select(2, NULL, &set, NULL, &none) == 1 && FD_ISSET(1, &set));
}

int main(int argc, char **argv)
{
	argument_count = argc;
	arguments = argv;
	RUN(the_program);
	RUN(time_and_chance);
	RUN(streams);
	RUN(descriptors);
	RUN(names);
	RUN(directories);
	RUN(waiting);
	return 0;
}
