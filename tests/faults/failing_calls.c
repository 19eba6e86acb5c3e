/* Makes one system call on files under a folder fail. Preloaded into a Python process, which
 * calls fail_call(folder, n, error): the n-th such call from then on fails with that error.
 * fail_call(NULL, 0, 0) ends it; calls_seen() says how many there were, failed_call() which failed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX];
static int target, count, error_number;
static const char *failed = "";

void fail_call(const char *path, int number, int error) {
    count = 0;
    failed = "";
    target = number;
    error_number = error;
    snprintf(folder, sizeof folder, "%s", path ? path : "");
}

int calls_seen(void) { return count; }
const char *failed_call(void) { return failed; }

static int must_fail(const char *name, const char *path) {
    if (!folder[0] || !path || strncmp(path, folder, strlen(folder)) != 0 || ++count != target)
        return 0;
    failed = name;
    errno = error_number;
    return 1;
}

static int must_fail_at(const char *name, int descriptor) {
    char link[64], path[PATH_MAX];
    if (!folder[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return must_fail(name, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0;                  \
        va_end(rest);                                                                              \
        return must_fail("open", path) ? -1 : REAL(name)(path, flags, mode);                       \
    }
#define PATH_CALL(name, type, argument)                                                            \
    int name(const char *path, type argument) {                                                    \
        return must_fail(#name, path) ? -1 : REAL(name)(path, argument);                           \
    }
#define DESCRIPTOR_CALL(name, type, argument)                                                      \
    int name(int descriptor, type argument) {                                                      \
        return must_fail_at(#name, descriptor) ? -1 : REAL(name)(descriptor, argument);            \
    }

OPEN(open)
OPEN(open64)
PATH_CALL(mkdir, mode_t, mode)
PATH_CALL(chmod, mode_t, mode)
PATH_CALL(stat, struct stat *, status)
PATH_CALL(stat64, struct stat64 *, status)
PATH_CALL(lstat, struct stat *, status)
PATH_CALL(lstat64, struct stat64 *, status)
DESCRIPTOR_CALL(fchmod, mode_t, mode)
DESCRIPTOR_CALL(ftruncate, off_t, length)
DESCRIPTOR_CALL(ftruncate64, off64_t, length)
DESCRIPTOR_CALL(flock, int, operation)
DESCRIPTOR_CALL(fstat, struct stat *, status)
DESCRIPTOR_CALL(fstat64, struct stat64 *, status)

int fstatat(int base, const char *path, struct stat *status, int flags) {
    return must_fail("stat", path) ? -1 : REAL(fstatat)(base, path, status, flags);
}
int fstatat64(int base, const char *path, struct stat64 *status, int flags) {
    return must_fail("stat", path) ? -1 : REAL(fstatat64)(base, path, status, flags);
}
int unlink(const char *path) { return must_fail("unlink", path) ? -1 : REAL(unlink)(path); }
int rename(const char *from, const char *to) {
    return must_fail("rename", to) ? -1 : REAL(rename)(from, to);
}
int fsync(int descriptor) {
    return must_fail_at("fsync", descriptor) ? -1 : REAL(fsync)(descriptor);
}
ssize_t write(int descriptor, const void *data, size_t size) {
    return must_fail_at("write", descriptor) ? -1 : REAL(write)(descriptor, data, size);
}
ssize_t read(int descriptor, void *data, size_t size) {
    return must_fail_at("read", descriptor) ? -1 : REAL(read)(descriptor, data, size);
}
off_t lseek(int descriptor, off_t offset, int whence) {
    return must_fail_at("lseek", descriptor) ? -1 : REAL(lseek)(descriptor, offset, whence);
}
off64_t lseek64(int descriptor, off64_t offset, int whence) {
    return must_fail_at("lseek", descriptor) ? -1 : REAL(lseek64)(descriptor, offset, whence);
}
int close(int descriptor) {
    /* A call that fails has closed the file all the same. */
    int must = must_fail_at("close", descriptor), error = errno, status = REAL(close)(descriptor);
    if (must)
        errno = error;
    return must ? -1 : status;
}
DIR *opendir(const char *path) { return must_fail("opendir", path) ? NULL : REAL(opendir)(path); }
