#ifndef OAKUM_CELF_H
#define OAKUM_CELF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Names, files and lines of addresses, by elfutils' libdw, in a short-lived child process.
//
// The child is a fork: what libdw allocates for a large program (hundreds of MiB of debug information) is gone with it,
// and a hostile or damaged ELF file that crashes the library ends the child and nothing else. It runs C alone, holds
// no descriptor but its pipe, asks no debuginfod server, and has limits on memory and processor time.

/// What to look up in a module.
enum celf_kind {
    CELF_CODE = 0, ///< function, inlined callers, file and line of an instruction
    CELF_DATA = 1, ///< name of a variable or of other data
    CELF_NAME = 2, ///< value of the symbol `name`
};

struct celf_lookup {
    /// Index into the modules.
    uint32_t module;
    uint32_t kind;
    /// An address as the file counts them: without load bias.
    uint64_t address;
    /// Only for CELF_NAME.
    const char *name;
};

struct celf_limits {
    /// Bytes of memory the child may use beyond what the parent has.
    uint64_t memory_bytes;
    /// Processor seconds.
    uint32_t seconds;
};

/// Flags of a record.
enum { CELF_INLINED = 1, CELF_FROM_SYMBOL = 2, CELF_MODULE_DONE = 4, CELF_NO_FILE = 8 };

/// One record of the stream: `name_bytes` and then `file_bytes` bytes of text follow it.
struct celf_record {
    /// Index into the lookups; for CELF_MODULE_DONE and CELF_NO_FILE: into the modules.
    uint32_t index;
    uint32_t flags;
    /// 0: unknown.
    uint32_t line;
    uint16_t name_bytes;
    uint16_t file_bytes;
    /// From the symbol's start; for CELF_NAME the symbol's address.
    uint64_t offset;
};

/// Starts the child. `lookups` are sorted by module. Text longer than 4 KiB is cut.
/// `debug_path` is as in dwfl_standard_find_debuginfo; NULL for the usual places.
/// Returns the reading end of the pipe (CLOEXEC) and the child's pid, or -errno.
int celf_start(const char *const *files, size_t file_count, const struct celf_lookup *lookups, size_t lookup_count,
               const char *debug_path, struct celf_limits limits, pid_t *child);

/// Ends the child if it still runs, and collects it. Returns its wait status, or -errno.
int celf_finish(pid_t child);

/// Demangled name of a Swift or C++ symbol into `buffer`; returns its length, 0 when it is not mangled or too long.
/// In this process: for names of trusted origin, or after a check of its own.
size_t celf_demangle(const char *mangled, size_t length, char *buffer, size_t capacity);

/// The same for the name of a C++ type as its type_info holds it ("N4shop4BookE").
size_t celf_demangle_type(const char *mangled, size_t length, char *buffer, size_t capacity);

#endif
