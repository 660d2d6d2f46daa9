#define _GNU_SOURCE
#include "celf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_LIMIT = 4096, RANGE_LIMIT = 1 << 20, SCOPE_LIMIT = 64, DEPTH_LIMIT = 32, CHILD_LIMIT = 1 << 22 };

// A code range of a compilation unit, or of a function. clang writes no .debug_aranges, so the units are asked once for
// their ranges; the functions of a unit are collected when the first of them is asked for.
struct range {
    Dwarf_Addr low, high;
    Dwarf_Addr reach; // highest end of this range and those before it: units may overlap
    Dwarf_Die die;
};

struct ranges {
    struct range *items;
    size_t count, capacity;
};

struct functions {
    Dwarf_Off unit;
    struct ranges ranges;
};

struct module {
    Dwfl *dwfl;
    Dwfl_Module *module;
    Dwarf_Addr bias;
    struct ranges units;
    struct functions *functions;
    size_t function_count;
};

static void write_all(int fd, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(fd, next, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) _exit(2);
        next += written;
        count -= (size_t)written;
    }
}

static void emit(int fd, struct celf_record record, const char *name, const char *file) {
    char buffer[sizeof record + 2 * TEXT_LIMIT];
    size_t name_bytes = name ? strnlen(name, TEXT_LIMIT) : 0, file_bytes = file ? strnlen(file, TEXT_LIMIT) : 0;
    record.name_bytes = (uint16_t)name_bytes;
    record.file_bytes = (uint16_t)file_bytes;
    memcpy(buffer, &record, sizeof record);
    if (name_bytes) memcpy(buffer + sizeof record, name, name_bytes);
    if (file_bytes) memcpy(buffer + sizeof record + name_bytes, file, file_bytes);
    write_all(fd, buffer, sizeof record + name_bytes + file_bytes);
}

static const char *readable(const char *name, char *buffer) {
    if (!name) return NULL;
    return celf_demangle(name, strnlen(name, TEXT_LIMIT + 1), buffer, TEXT_LIMIT) > 0 ? buffer : name;
}

static const char *function_name(Dwarf_Die *die) {
    Dwarf_Attribute attribute;
    const char *name = NULL;
    if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute)) name = dwarf_formstring(&attribute);
    if (!name && dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute)) name = dwarf_formstring(&attribute);
    if (!name && dwarf_attr_integrate(die, DW_AT_name, &attribute)) name = dwarf_formstring(&attribute);
    return name;
}

static bool number(Dwarf_Die *die, unsigned name, Dwarf_Word *value) {
    Dwarf_Attribute attribute;
    return dwarf_attr(die, name, &attribute) && dwarf_formudata(&attribute, value) == 0;
}

static int by_low(const void *left, const void *right) {
    Dwarf_Addr a = ((const struct range *)left)->low, b = ((const struct range *)right)->low;
    return a < b ? -1 : a > b;
}

static void add_range(struct ranges *ranges, Dwarf_Addr low, Dwarf_Addr high, const Dwarf_Die *die) {
    if (high <= low || ranges->count >= RANGE_LIMIT) return;
    if (ranges->count == ranges->capacity) {
        size_t capacity = ranges->capacity ? 2 * ranges->capacity : 256;
        struct range *grown = realloc(ranges->items, capacity * sizeof *grown);
        if (!grown) return;
        ranges->items = grown;
        ranges->capacity = capacity;
    }
    ranges->items[ranges->count++] = (struct range){low, high, 0, *die};
}

static void add_ranges(struct ranges *ranges, Dwarf_Die *die) {
    Dwarf_Addr base = 0, low = 0, high = 0;
    ptrdiff_t offset = 0;
    for (int steps = 0; steps < RANGE_LIMIT; steps++) {
        offset = dwarf_ranges(die, offset, &base, &low, &high);
        if (offset <= 0) break;
        add_range(ranges, low, high, die);
    }
}

static void sort_ranges(struct ranges *ranges) {
    if (ranges->count > 1) qsort(ranges->items, ranges->count, sizeof *ranges->items, by_low);
    Dwarf_Addr reach = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->items[i].high > reach) reach = ranges->items[i].high;
        ranges->items[i].reach = reach;
    }
}

// The range that begins last among those an address lies in.
static Dwarf_Die *at(struct ranges *ranges, Dwarf_Addr address) {
    size_t low = 0, high = ranges->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges->items[middle].low <= address) low = middle + 1;
        else high = middle;
    }
    for (; low > 0 && ranges->items[low - 1].reach > address; low--) {
        if (address < ranges->items[low - 1].high) return &ranges->items[low - 1].die;
    }
    return NULL;
}

static void collect_units(struct module *m) {
    Dwarf_Die *unit = NULL;
    Dwarf_Addr bias = 0;
    while ((unit = dwfl_module_nextcu(m->module, unit, &bias)) != NULL) {
        m->bias = bias;
        add_ranges(&m->units, unit);
    }
    sort_ranges(&m->units);
}

// Functions stand below modules, namespaces and types, and in Swift below other functions (closures, and the parts of
// asynchronous ones). dwarf_getscopes knows nothing of that, and gives up at the first entry it does not like.
static void collect_functions(struct ranges *ranges, Dwarf_Die *parent, int depth) {
    Dwarf_Die child;
    if (depth > DEPTH_LIMIT || dwarf_child(parent, &child) != 0) return;
    for (int steps = 0; steps < CHILD_LIMIT; steps++) {
        switch (dwarf_tag(&child)) {
        case DW_TAG_subprogram:
            add_ranges(ranges, &child);
            collect_functions(ranges, &child, depth + 1);
            break;
        case DW_TAG_lexical_block:
        case DW_TAG_module:
        case DW_TAG_namespace:
        case DW_TAG_structure_type:
        case DW_TAG_class_type:
        case DW_TAG_enumeration_type: collect_functions(ranges, &child, depth + 1); break;
        default: break;
        }
        if (dwarf_siblingof(&child, &child) != 0) return;
    }
}

static Dwarf_Die *function_at(struct module *m, Dwarf_Die *unit, Dwarf_Addr address) {
    Dwarf_Off offset = dwarf_dieoffset(unit);
    for (size_t i = 0; i < m->function_count; i++) {
        if (m->functions[i].unit == offset) return at(&m->functions[i].ranges, address);
    }
    struct functions *grown = realloc(m->functions, (m->function_count + 1) * sizeof *grown);
    if (!grown) return NULL;
    m->functions = grown;
    struct functions *fresh = &m->functions[m->function_count++];
    *fresh = (struct functions){.unit = offset};
    collect_functions(&fresh->ranges, unit, 0);
    sort_ranges(&fresh->ranges);
    return at(&fresh->ranges, address);
}

// Inlined functions and blocks around an address below a function, outermost first; returns how many.
static int collect_scopes(Dwarf_Die *parent, Dwarf_Addr address, Dwarf_Die *scopes, int count) {
    Dwarf_Die child;
    if (count >= SCOPE_LIMIT || dwarf_child(parent, &child) != 0) return count;
    for (int steps = 0; steps < CHILD_LIMIT; steps++) {
        int tag = dwarf_tag(&child);
        bool inlined = tag == DW_TAG_inlined_subroutine;
        if ((inlined || tag == DW_TAG_lexical_block) && dwarf_haspc(&child, address) > 0) {
            if (inlined) scopes[count++] = child;
            // Blocks may overlap: one without anything inlined here does not end the search.
            int found = collect_scopes(&child, address, scopes, count);
            if (inlined || found > count) return found;
        }
        if (dwarf_siblingof(&child, &child) != 0) return count;
    }
    return count;
}

static bool open_module(struct module *m, const char *file, const Dwfl_Callbacks *callbacks) {
    *m = (struct module){0};
    m->dwfl = dwfl_begin(callbacks);
    if (!m->dwfl) return false;
    dwfl_report_begin(m->dwfl);
    m->module = dwfl_report_elf(m->dwfl, file, file, -1, 0, true);
    dwfl_report_end(m->dwfl, NULL, NULL);
    if (!m->module) return false;
    collect_units(m);
    return true;
}

static void close_module(struct module *m) {
    if (m->dwfl) dwfl_end(m->dwfl);
    free(m->units.items);
    for (size_t i = 0; i < m->function_count; i++) free(m->functions[i].ranges.items);
    free(m->functions);
    *m = (struct module){0};
}

// Inlined frames, innermost first. The line of a frame is where its callee was called: so each step hands its
// call site on to the next. Returns false when the debug information knows no function here.
static bool emit_scopes(int fd, uint32_t index, struct module *m, Dwarf_Addr address, char *text) {
    Dwarf_Die *unit = at(&m->units, address);
    Dwarf_Die *function = unit ? function_at(m, unit, address) : NULL;
    if (!function) return false;
    int line = 0;
    const char *file = NULL;
    Dwarf_Line *source = dwarf_getsrc_die(unit, address);
    if (source) {
        dwarf_lineno(source, &line);
        file = dwarf_linesrc(source, NULL, NULL);
    }
    Dwarf_Die scopes[SCOPE_LIMIT + 1] = {*function};
    int count = collect_scopes(function, address, scopes, 1);
    Dwarf_Files *files = NULL;
    size_t file_count = 0;
    dwarf_getsrcfiles(unit, &files, &file_count);
    for (int i = count - 1; i >= 0; i--) {
        struct celf_record record = {
            .index = index, .flags = i > 0 ? CELF_INLINED : 0, .line = line > 0 ? (uint32_t)line : 0};
        emit(fd, record, readable(function_name(&scopes[i]), text), line > 0 ? file : NULL);
        if (i == 0) break;
        Dwarf_Word call_file = 0, call_line = 0;
        file = number(&scopes[i], DW_AT_call_file, &call_file) && files ? dwarf_filesrc(files, call_file, NULL, NULL)
                                                                        : NULL;
        line = number(&scopes[i], DW_AT_call_line, &call_line) && call_line <= INT32_MAX ? (int)call_line : 0;
    }
    return true;
}

static void emit_symbol(int fd, const struct celf_lookup *lookup, uint32_t index, struct module *m, char *text) {
    GElf_Off offset = 0;
    GElf_Sym symbol;
    const char *name =
        dwfl_module_addrinfo(m->module, lookup->address, &offset, &symbol, NULL, NULL, NULL);
    // A symbol that ends before the address is only the nearest one: no name is better than a wrong one.
    if (!name || (symbol.st_size > 0 && offset >= symbol.st_size)) return;
    if (symbol.st_size == 0 && lookup->kind == CELF_DATA && offset > 0) return;
    struct celf_record record = {.index = index, .flags = CELF_FROM_SYMBOL, .offset = offset};
    emit(fd, record, readable(name, text), NULL);
}

static void emit_value(int fd, const struct celf_lookup *lookup, uint32_t index, struct module *m) {
    int count = dwfl_module_getsymtab(m->module);
    for (int i = 1; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr value = 0;
        const char *name = dwfl_module_getsym_info(m->module, i, &symbol, &value, NULL, NULL, NULL);
        if (!name || symbol.st_shndx == SHN_UNDEF || strcmp(name, lookup->name) != 0) continue;
        emit(fd, (struct celf_record){.index = index, .flags = CELF_FROM_SYMBOL, .offset = value}, NULL, NULL);
        return;
    }
}

static void look_up(int fd, const struct celf_lookup *lookup, uint32_t index, struct module *m, char *text) {
    switch (lookup->kind) {
    case CELF_CODE:
        if (lookup->address >= m->bias && emit_scopes(fd, index, m, lookup->address - m->bias, text)) return;
        emit_symbol(fd, lookup, index, m, text);
        return;
    case CELF_DATA: emit_symbol(fd, lookup, index, m, text); return;
    case CELF_NAME:
        if (lookup->name) emit_value(fd, lookup, index, m);
        return;
    default: return;
    }
}

static void limit_child(struct celf_limits limits, int fd) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "oakum-symbols");
    for (int signal_number = 1; signal_number < 32; signal_number++) signal(signal_number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (high == 3 || (high > 3 && dup2(high, 3) == 3)) fd = 3;
    // Before Linux 5.9 there is no close_range; then descriptors stay open until the child ends, moments later.
    syscall(SYS_close_range, 4U, ~0U, 0U);
    unsetenv("DEBUGINFOD_URLS");
    struct rlimit none_left = {0, 0}, time = {limits.seconds, limits.seconds};
    setrlimit(RLIMIT_CORE, &none_left);
    setrlimit(RLIMIT_CPU, &time);
    unsigned long long data = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm) {
        if (fscanf(statm, "%*u %*u %*u %*u %*u %llu", &data) != 1) data = 0;
        fclose(statm);
    }
    uint64_t bytes = data * (uint64_t)sysconf(_SC_PAGESIZE) + limits.memory_bytes;
    struct rlimit memory = {bytes, bytes};
    setrlimit(RLIMIT_DATA, &memory);
}

static void run_child(int fd, const char *const *files, size_t file_count, const struct celf_lookup *lookups,
                      size_t lookup_count, const char *debug_path) {
    static char text[TEXT_LIMIT + 1];
    char *path = debug_path ? strdup(debug_path) : NULL;
    Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .debuginfo_path = path ? &path : NULL,
    };
    for (size_t next = 0; next < lookup_count;) {
        uint32_t current = lookups[next].module;
        struct module m = {0};
        bool opened = current < file_count && open_module(&m, files[current], &callbacks);
        if (!opened) emit(fd, (struct celf_record){.index = current, .flags = CELF_NO_FILE}, NULL, NULL);
        for (; next < lookup_count && lookups[next].module == current; next++) {
            if (opened) look_up(fd, &lookups[next], (uint32_t)next, &m, text);
        }
        close_module(&m);
        emit(fd, (struct celf_record){.index = current, .flags = CELF_MODULE_DONE}, NULL, NULL);
    }    free(path);
}

int celf_start(const char *const *files, size_t file_count, const struct celf_lookup *lookups, size_t lookup_count,
               const char *debug_path, struct celf_limits limits, pid_t *child) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        return -error;
    }
    if (pid == 0) {
        int fd = ends[1];
        limit_child(limits, fd);
        // limit_child moved the pipe to descriptor 3 when it could.
        if (fcntl(3, F_GETFD) >= 0) fd = 3;
        run_child(fd, files, file_count, lookups, lookup_count, debug_path);
        _exit(0);
    }
    close(ends[1]);
    *child = pid;
    return ends[0];
}

int celf_finish(pid_t child) {
    int status = 0;
    if (child <= 0) return -ECHILD;
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -errno;
    }
    return status;
}
