/* Functions that wasi-libc lacks: see wasi.h. Each is weak, for a newer wasi-libc may have it. */
#undef fcntl
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#define WEAK __attribute__((weak))

WEAK int system(const char *command)
{
    /* A null pointer asks whether there is a command processor. */
    if (command == NULL)
        return 0;
    errno = ENOSYS;
    return -1;
}

WEAK FILE *tmpfile(void)
{
    errno = ENOSYS;
    return NULL;
}

WEAK int fchmod(int fd, mode_t mode)
{
    (void)fd;
    (void)mode;
    return 0;
}

WEAK int chmod(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    return 0;
}

WEAK int fchown(int fd, uid_t owner, gid_t group)
{
    (void)fd;
    (void)owner;
    (void)group;
    return 0;
}

WEAK uid_t geteuid(void)
{
    return 1;
}

WEAK mode_t umask(mode_t mask)
{
    (void)mask;
    return 022;
}

int wk_fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    int result = 0;
    if (command == F_GETLK)
        va_arg(arguments, struct flock *)->l_type = F_UNLCK;
    else if (command == F_GETFL || command == F_GETFD)
        result = fcntl(fd, command);
    else if (command != F_SETLK && command != F_SETLKW)
        result = fcntl(fd, command, va_arg(arguments, int));
    va_end(arguments);
    return result;
}

/* Weak as well, so that a program without Lua links. */
WEAK const char *luaL_tolstring(struct lua_State *state, int index, size_t *length);

_Noreturn void wk_lua_error(struct lua_State *state)
{
    /* Lua has left the error's value, or its traceback, on top of the stack. */
    fprintf(stderr, "lua: %s\n", luaL_tolstring(state, -1, NULL));
    exit(1);
}
