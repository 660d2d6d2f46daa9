#define _GNU_SOURCE
#include "include/linux_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

int linux_open_walking(int folder, const char *path, int flags, mode_t mode) {
    char text[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0) return -ENOENT;
    if (length >= sizeof text) return -ENAMETOOLONG;
    if (path[0] == '/') return -EXDEV;
    memcpy(text, path, length + 1);
    int at = folder;
    char *rest = text;
    for (;;) {
        char *slash = strchr(rest, '/');
        if (slash) *slash = 0;
        int next;
        if (strcmp(rest, "..") == 0) {
            next = -1;
            errno = EXDEV;
        } else if (slash) {
            next = openat(at, *rest ? rest : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            // O_PATH with O_NOFOLLOW would hand out the link itself; with O_DIRECTORY that is ENOTDIR.
            if (next < 0 && errno == ENOTDIR) {
                struct stat found;
                if (fstatat(at, rest, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode)) errno = ELOOP;
                else errno = ENOTDIR;
            }
        } else {
            next = openat(at, *rest ? rest : ".", flags | O_NOFOLLOW | O_CLOEXEC, mode);
        }
        int reason = errno;
        if (at != folder) close(at);
        if (next < 0) return -reason;
        if (!slash) return next;
        at = next;
        rest = slash + 1;
    }
}

int linux_open_beneath(int folder, const char *path, int flags, mode_t mode) {
#if defined(SYS_openat2) && defined(RESOLVE_BENEATH)
    struct open_how how = {
        .flags = (unsigned int)(flags | O_CLOEXEC | O_NOFOLLOW),
        // Anything but zero is EINVAL when nothing is made.
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    for (;;) {
        int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
        if (fd >= 0) return fd;
        // EAGAIN: something was renamed meanwhile (openat2(2)).
        if (errno == EINTR || errno == EAGAIN) continue;
        // EPERM may be a seccomp filter from before openat2; when it is not, walking meets it again.
        if (errno != ENOSYS && errno != EPERM) return -errno;
        break;
    }
#endif
    return linux_open_walking(folder, path, flags, mode);
}

int linux_refer_beneath(int folder, const char *path) { return linux_open_beneath(folder, path, O_PATH, 0); }

int linux_rename_new(int from_folder, const char *from, int to_folder, const char *to) {
    if (renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -errno;
    // A file system that does not know the flag: a plain rename still never replaces a folder that holds something.
    struct stat found;
    if (fstatat(to_folder, to, &found, AT_SYMLINK_NOFOLLOW) == 0) return -EEXIST;
    return renameat(from_folder, from, to_folder, to) == 0 ? 0 : -errno;
}
