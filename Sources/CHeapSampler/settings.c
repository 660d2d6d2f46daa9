// The environment: read once at the start. A value that makes no sense is said and replaced by its default, so that a typing
// error never keeps a service from starting.
#include "heap_sampler.h"
#include <stdlib.h>
#include <string.h>
#include "system_calls.h"

// Counting begins with the first allocation, before the environment can be read.
// What counts before the settings are read.
struct oh_settings oh_settings = {.is_counted = true, .error_bytes = OH_BATCH};

void oh_warn(const char *text, const char *detail) {
    if (oh_settings.is_quiet) return;
    char line[512] = "oakum heap sampler: ";
    size_t length = strlen(line);
    for (const char *part = text; *part && length < 400; part++) line[length++] = *part;
    for (const char *part = detail; part && *part && length < sizeof line - 2; part++) {
        // Environment values may hold anything; a terminal shall not act on it.
        line[length++] = *part >= ' ' && *part < 127 ? *part : '?';
    }
    line[length++] = '\n';
    oh_call3(SYS_write, 2, (long)line, (long)length);
}

static bool is_set(const char *name, const char *value) {
    const char *text = secure_getenv(name);
    return text && strcmp(text, value) == 0;
}

static uint64_t number(const char *name, uint64_t low, uint64_t high, uint64_t fallback) {
    const char *text = secure_getenv(name);
    if (!text || !*text) return fallback;
    uint64_t value = 0;
    for (const char *digit = text; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || value > high) {
            value = UINT64_MAX;
            break;
        }
        value = value * 10 + (uint64_t)(*digit - '0');
    }
    if (value >= low && value <= high) return value;
    oh_warn("ignored, because it is no number in the allowed range (see docs/heap-sampler.md): ", name);
    return fallback;
}

void oh_read_settings(void) {
    struct oh_settings *settings = &oh_settings;
    const char *quiet = secure_getenv("OAKUM_HEAP_QUIET");
    settings->is_quiet = quiet && *quiet && strcmp(quiet, "0") != 0;
    settings->is_counted = !is_set("OAKUM_HEAP_COUNT", "off");
    settings->allows_any_reader = is_set("OAKUM_HEAP_PTRACER", "any");
    const char *mode = secure_getenv("OAKUM_HEAP_MODE");
    settings->mode = OAKUM_HEAP_SAMPLED;
    if (mode && *mode) {
        if (strcmp(mode, "exact") == 0) settings->mode = OAKUM_HEAP_EXACT;
        else if (strcmp(mode, "off") == 0) settings->is_off = true;
        else if (strcmp(mode, "sampled") != 0) oh_warn("OAKUM_HEAP_MODE is sampled, exact or off, not: ", mode);
    }
    bool exact = settings->mode == OAKUM_HEAP_EXACT;
    settings->mean = exact ? 0 : number("OAKUM_HEAP_MEAN_BYTES", 256, 1ull << 40, 512 * 1024);
    settings->records = number("OAKUM_HEAP_RECORDS", 64, 1ull << 26, exact ? 1ull << 20 : 1ull << 16);
    settings->stacks = number("OAKUM_HEAP_STACKS", 16, 1ull << 20, exact ? 1ull << 16 : 1ull << 13);
    settings->seed = number("OAKUM_HEAP_SEED", 0, 1ull << 62, 0);
    settings->error_bytes = number("OAKUM_HEAP_ERROR_BYTES", 64, OH_BATCH, OH_BATCH);
    const char *path = secure_getenv("OAKUM_HEAP_FILE");
    if (!path || !*path) {
        // Off by intent needs no words; a library that was preloaded and not told where to write does.
        if (!settings->is_off) oh_warn("not sampled: OAKUM_HEAP_FILE is not set", "");
        settings->is_off = true;
        return;
    }
    if (strlen(path) >= sizeof settings->path) {
        oh_warn("not sampled: OAKUM_HEAP_FILE is too long", "");
        settings->is_off = true;
        return;
    }
    strcpy(settings->path, path);
    for (const char *c = path; *c; c++) {
        if (*c != '%') continue;
        if (c[1] == 'p') settings->path_has_pid = true;
        if (c[1]) c++;
    }
}

// Replaces %p by the process id and %% by a percent sign; others stay as they are.
bool oh_expand_path(char *out, size_t capacity, uint32_t pid) {
    char digits[12];
    size_t length = 0;
    for (const char *c = oh_settings.path; *c; c++) {
        if (length + 12 >= capacity) return false;
        if (c[0] == '%' && c[1] == 'p') {
            size_t count = 0;
            for (uint32_t rest = pid; rest > 0 || count == 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
            while (count > 0) out[length++] = digits[--count];
            c++;
        } else {
            if (c[0] == '%' && c[1] == '%') c++;
            out[length++] = *c;
        }
    }
    out[length] = 0;
    return true;
}
