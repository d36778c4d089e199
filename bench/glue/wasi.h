/* Included before everything else when a real program is compiled for WASI: declares what wasi-libc lacks and the
 * program mentions. Most of it is never called in a benchmark; it has to link, and to fail in an honest way if called.
 */
#ifndef BENCH_GLUE_WASI_H
#define BENCH_GLUE_WASI_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/types.h>

/* C standard library: there are no processes and no place for temporary files. */
int system(const char *command);
FILE *tmpfile(void);

/* Lua's errors unwind with longjmp, which WebAssembly without exceptions does not have. An error here prints its
 * message and ends the program. So pcall works as long as nothing goes wrong, and coroutines cannot yield. */
struct lua_State;
_Noreturn void wk_lua_error(struct lua_State *state);
#define wk_lua_try(L, c, a) { a }
#define wk_lua_throw(L, c) wk_lua_error(L)

/* sqlite3's Unix file layer. Its locks are advisory and a module is alone with its files, so they always succeed. */
#ifndef F_SETLK
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#endif
#ifndef F_RDLCK
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#endif
int wk_fcntl(int fd, int command, ...);
#define fcntl wk_fcntl
int fchmod(int fd, mode_t mode);
int chmod(const char *path, mode_t mode);
int fchown(int fd, uid_t owner, gid_t group);
uid_t geteuid(void);
mode_t umask(mode_t mask);

#endif
