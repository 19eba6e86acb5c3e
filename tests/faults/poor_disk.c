/* Makes a folder's file system poor: it cannot change modes or flush folders, as FAT, CIFS and some
 * FUSE systems cannot, and with POOR_DISK_LOCKS=0 it has no locks. Preloaded into a process;
 * POOR_DISK is the folder, POOR_DISK_ERROR the number of the error.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_poor(const char *path) {
    const char *folder = getenv("POOR_DISK");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_poor_at(int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_poor(path);
}

static int refuse(int error) {
    errno = error;
    return -1;
}

static int chosen(void) { return atoi(getenv("POOR_DISK_ERROR")); }

int chmod(const char *path, mode_t mode) {
    return is_poor(path) ? refuse(chosen()) : REAL(chmod)(path, mode);
}
int fchmod(int descriptor, mode_t mode) {
    return is_poor_at(descriptor) ? refuse(EPERM) : REAL(fchmod)(descriptor, mode);
}
int fsync(int descriptor) {
    struct stat status;
    int is_folder = fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
    return is_folder && is_poor_at(descriptor) ? refuse(chosen()) : REAL(fsync)(descriptor);
}
int flock(int descriptor, int operation) {
    const char *locks = getenv("POOR_DISK_LOCKS");
    if (locks && !strcmp(locks, "0") && is_poor_at(descriptor))
        return refuse(ENOSYS);
    return REAL(flock)(descriptor, operation);
}
