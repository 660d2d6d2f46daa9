#ifndef OAKUM_LINUX_FILES_H
#define OAKUM_LINUX_FILES_H

#include <sys/types.h>

// Opening by a path that came from outside, relative to a folder that it must not leave. A negative result is -errno.

/// Opens `path` below `folder`, CLOEXEC. No part of it may be a symbolic link (-ELOOP), `..` or absolute (-EXDEV).
/// openat2(2) where the kernel has it (Linux 5.6), otherwise `linux_open_walking`.
int linux_open_beneath(int folder, const char *path, int flags, mode_t mode);
/// The same one part after the other with openat(2) and O_NOFOLLOW, as on older kernels and where a seccomp filter refuses
/// openat2.
int linux_open_walking(int folder, const char *path, int flags, mode_t mode);
/// A reference (O_PATH) to whatever `path` names below `folder`: a link itself, a device that is not opened.
int linux_refer_beneath(int folder, const char *path);
/// Renames within one file system, never over something that is there (-EEXIST). Returns 0 or -errno.
int linux_rename_new(int from_folder, const char *from, int to_folder, const char *to);

#endif
