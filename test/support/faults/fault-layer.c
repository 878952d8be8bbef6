/*
 * A fault layer between programs and the kernel, loaded into them by LD_PRELOAD. It counts, over all processes that
 * share its state file, every call that changes something below one directory (or, on request, that reads from it),
 * writes each to a trace, and lets something happen at a chosen one: a kill -9 of all these processes, half a write and
 * then the kill, an error number, or a command. The programs themselves know nothing of it. What the environment
 * variables mean: fault-layer.ts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct shared {
    _Atomic uint32_t calls;
    _Atomic uint32_t dead;
    _Atomic int32_t engine;
    _Atomic uint32_t running;
};

enum action { NOTHING, KILL, HALF, ERROR, RUN };

static struct {
    struct shared *shared;
    int trace;
    const char *root;
    size_t rootLength;
    const char *role;
    const char *command;
    uint32_t first;
    uint32_t last;
    enum action action;
    int error;
    int reads;
} layer = {.trace = -1};

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

__attribute__((constructor)) static void begin(void) {
    const char *state = getenv("GWE_FAULT_STATE");
    if (!state) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, state, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return;
    struct shared *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (shared == MAP_FAILED) return;
    layer.trace = (int)syscall(SYS_openat, AT_FDCWD, variable("GWE_FAULT_TRACE"),
                               O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    layer.root = strdup(variable("GWE_FAULT_ROOT"));
    layer.rootLength = strlen(layer.root);
    layer.role = strdup(variable("GWE_FAULT_ROLE"));
    layer.command = strdup(variable("GWE_FAULT_COMMAND"));
    layer.first = (uint32_t)atoi(variable("GWE_FAULT_AT"));
    layer.last = layer.first + (uint32_t)atoi(variable("GWE_FAULT_SPAN"));
    layer.error = atoi(variable("GWE_FAULT_ERRNO"));
    layer.reads = strcmp(variable("GWE_FAULT_CALLS"), "reads") == 0;
    const char *action = variable("GWE_FAULT_ACTION");
    layer.action = !strcmp(action, "kill")    ? KILL
                   : !strcmp(action, "half")  ? HALF
                   : !strcmp(action, "error") ? ERROR
                   : !strcmp(action, "run")   ? RUN
                                              : NOTHING;
    if (strcmp(layer.role, "engine") == 0) shared->engine = getpid();
    layer.shared = shared;
}

__attribute__((noreturn)) static void die(void) {
    layer.shared->dead = 1;
    if (layer.shared->engine > 0) kill(layer.shared->engine, SIGKILL);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int below(const char *path) {
    return strncmp(path, layer.root, layer.rootLength) == 0 &&
           (path[layer.rootLength] == '/' || path[layer.rootLength] == 0);
}

/* Of two names the one that is there afterwards is told. */
static int concerns(int directory, int fd, const char *path, char *name) {
    char link[64];
    char base[PATH_MAX];
    if (!layer.shared) return 0;
    if (path && path[0] == '/') {
        snprintf(name, PATH_MAX, "%s", path);
        return below(name);
    }
    int of = path ? directory : fd;
    if (of == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", of);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, base, sizeof base - 1);
    if (length < 0) return 0;
    base[length] = 0;
    if (path) snprintf(name, PATH_MAX, "%.*s/%s", PATH_MAX / 2, base, path);
    else snprintf(name, PATH_MAX, "%s", base);
    return below(name);
}

/* Counts a call. Answers whether it has to fail, with errno set, or (2) to stop half-way. */
static int meet(const char *call, int directory, int fd, const char *path, int isRead) {
    char name[PATH_MAX];
    int kept = errno;
    if (!layer.shared || isRead != layer.reads || !concerns(directory, fd, path, name)) {
        errno = kept;
        return 0;
    }
    if (layer.shared->dead) die();
    while (layer.shared->running) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    uint32_t n = ++layer.shared->calls;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%u %s %s %s\n", n, layer.role, call, name + layer.rootLength);
    if (layer.trace >= 0) syscall(SYS_write, layer.trace, line, (size_t)length);
    errno = kept;
    if (n < layer.first || n >= layer.last) return 0;
    switch (layer.action) {
    case NOTHING: return 0;
    case KILL: die();
    case HALF:
        if (strcmp(call, "write") != 0) die();
        return 2;
    case ERROR: errno = layer.error; return 1;
    case RUN:
        layer.shared->running = 1;
        if (system(layer.command) != 0) die();
        layer.shared->running = 0;
        errno = kept;
        return 0;
    }
    return 0;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FORWARD(type, name, call, directory, fd, path, isRead, parameters, arguments)                              \
    type name parameters {                                                                                        \
        if (meet(call, directory, fd, path, isRead)) return -1;                                                   \
        return NEXT(name) arguments;                                                                              \
    }

static ssize_t half(int fd, const void *data, size_t length, off_t at) {
    if (at < 0) syscall(SYS_write, fd, data, length / 2);
    else syscall(SYS_pwrite64, fd, data, length / 2, at);
    die();
}

#define WRITE(name, at, parameters, arguments)                                                                    \
    ssize_t name parameters {                                                                                     \
        int outcome = meet("write", 0, fd, NULL, 0);                                                              \
        if (outcome == 2) return half(fd, data, length, at);                                                      \
        if (outcome) return -1;                                                                                   \
        return NEXT(name) arguments;                                                                              \
    }
WRITE(write, -1, (int fd, const void *data, size_t length), (fd, data, length))
WRITE(pwrite, at, (int fd, const void *data, size_t length, off_t at), (fd, data, length, at))
WRITE(pwrite64, at, (int fd, const void *data, size_t length, off64_t at), (fd, data, length, at))

#define WRITEV(name, at, parameters, arguments)                                                                   \
    ssize_t name parameters {                                                                                     \
        int outcome = meet("write", 0, fd, NULL, 0);                                                              \
        if (outcome == 2) return half(fd, parts[0].iov_base, parts[0].iov_len, at);                               \
        if (outcome) return -1;                                                                                   \
        return NEXT(name) arguments;                                                                              \
    }
WRITEV(writev, -1, (int fd, const struct iovec *parts, int count), (fd, parts, count))
WRITEV(pwritev, at, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at))
WRITEV(pwritev64, at, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at))

FORWARD(int, fsync, "fsync", 0, fd, NULL, 0, (int fd), (fd))
FORWARD(int, fdatasync, "fdatasync", 0, fd, NULL, 0, (int fd), (fd))
FORWARD(int, syncfs, "syncfs", 0, fd, NULL, 0, (int fd), (fd))
FORWARD(int, ftruncate, "truncate", 0, fd, NULL, 0, (int fd, off_t length), (fd, length))
FORWARD(int, ftruncate64, "truncate", 0, fd, NULL, 0, (int fd, off64_t length), (fd, length))
FORWARD(int, truncate, "truncate", AT_FDCWD, 0, path, 0, (const char *path, off_t length), (path, length))
FORWARD(int, fchmod, "chmod", 0, fd, NULL, 0, (int fd, mode_t mode), (fd, mode))
FORWARD(int, chmod, "chmod", AT_FDCWD, 0, path, 0, (const char *path, mode_t mode), (path, mode))
FORWARD(int, fchown, "chown", 0, fd, NULL, 0, (int fd, uid_t user, gid_t group), (fd, user, group))
FORWARD(int, futimens, "utimes", 0, fd, NULL, 0, (int fd, const struct timespec times[2]), (fd, times))
FORWARD(int, utimensat, "utimes", directory, 0, path, 0,
        (int directory, const char *path, const struct timespec times[2], int flags), (directory, path, times, flags))
FORWARD(int, mkdir, "mkdir", AT_FDCWD, 0, path, 0, (const char *path, mode_t mode), (path, mode))
FORWARD(int, rmdir, "rmdir", AT_FDCWD, 0, path, 0, (const char *path), (path))
FORWARD(int, unlink, "unlink", AT_FDCWD, 0, path, 0, (const char *path), (path))
FORWARD(int, unlinkat, "unlink", directory, 0, path, 0, (int directory, const char *path, int flags),
        (directory, path, flags))
FORWARD(int, link, "link", AT_FDCWD, 0, to, 0, (const char *from, const char *to), (from, to))
FORWARD(int, symlink, "symlink", AT_FDCWD, 0, path, 0, (const char *target, const char *path), (target, path))
FORWARD(int, rename, "rename", AT_FDCWD, 0, to, 0, (const char *from, const char *to), (from, to))
FORWARD(int, renameat, "rename", toDirectory, 0, to, 0,
        (int fromDirectory, const char *from, int toDirectory, const char *to), (fromDirectory, from, toDirectory, to))

FORWARD(ssize_t, read, "read", 0, fd, NULL, 1, (int fd, void *data, size_t length), (fd, data, length))
FORWARD(ssize_t, pread, "read", 0, fd, NULL, 1, (int fd, void *data, size_t length, off_t at), (fd, data, length, at))
FORWARD(ssize_t, pread64, "read", 0, fd, NULL, 1, (int fd, void *data, size_t length, off64_t at),
        (fd, data, length, at))
FORWARD(ssize_t, readv, "read", 0, fd, NULL, 1, (int fd, const struct iovec *parts, int count), (fd, parts, count))
FORWARD(ssize_t, preadv, "read", 0, fd, NULL, 1, (int fd, const struct iovec *parts, int count, off_t at),
        (fd, parts, count, at))
FORWARD(ssize_t, preadv64, "read", 0, fd, NULL, 1, (int fd, const struct iovec *parts, int count, off64_t at),
        (fd, parts, count, at))

/* Opening changes something only where it creates or empties. */
static int meetOpen(int directory, const char *path, int flags) {
    int changes = (flags & (O_CREAT | O_TRUNC)) != 0;
    return meet(changes ? "create" : "open", directory, 0, path, !changes);
}

#define OPEN(name, parameters, directory, arguments)                                                              \
    int name parameters {                                                                                         \
        mode_t mode = 0;                                                                                          \
        if (flags & (O_CREAT | O_TMPFILE)) {                                                                      \
            va_list rest;                                                                                         \
            va_start(rest, flags);                                                                                \
            mode = va_arg(rest, mode_t);                                                                          \
            va_end(rest);                                                                                         \
        }                                                                                                         \
        if (meetOpen(directory, path, flags)) return -1;                                                          \
        return NEXT(name) arguments;                                                                              \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD, (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, (path, flags, mode))
OPEN(openat, (int at, const char *path, int flags, ...), at, (at, path, flags, mode))
OPEN(openat64, (int at, const char *path, int flags, ...), at, (at, path, flags, mode))
