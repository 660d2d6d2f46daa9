// Reads /proc/self/maps line by line, without libc and without memory from anywhere.
#include "heap_sampler.h"
#include <string.h>
#include "system_calls.h"

static uint64_t take_number(const char **text, unsigned base) {
    uint64_t value = 0;
    for (;; (*text)++) {
        char c = **text;
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
        if (digit >= base) return value;
        value = value * base + digit;
    }
}

// "low-high rwxp offset major:minor inode   path"
static struct oh_mapping read_line(const char *text) {
    struct oh_mapping line = {0};
    line.low = take_number(&text, 16);
    if (*text) text++;
    line.high = take_number(&text, 16);
    while (*text == ' ') text++;
    line.is_code = strlen(text) > 3 && text[2] == 'x';
    while (*text && *text != ' ') text++;
    while (*text == ' ') text++;
    line.is_start = take_number(&text, 16) == 0;
    while (*text == ' ') text++;
    while (*text && *text != ' ') text++;
    while (*text == ' ') text++;
    line.inode = take_number(&text, 10);
    while (*text == ' ') text++;
    line.path = text;
    return line;
}

// One caller at a time. False when there is no /proc.
bool oh_read_maps(void (*take)(void *, struct oh_mapping), void *context) {
    static char buffer[8192]; // a line has at most 4096 bytes of path
    int file = oh_open("/proc/self/maps", O_RDONLY, 0);
    if (file < 0) return false;
    size_t length = 0;
    for (;;) {
        long count = oh_read(file, buffer + length, sizeof buffer - 1 - length);
        if (count <= 0) break;
        length += (size_t)count;
        size_t start = 0;
        for (size_t index = 0; index < length; index++) {
            if (buffer[index] != '\n') continue;
            buffer[index] = 0;
            take(context, read_line(buffer + start));
            start = index + 1;
        }
        memmove(buffer, buffer + start, length - start);
        length -= start;
        if (length >= sizeof buffer - 1) length = 0; // no line is so long
    }
    oh_close(file);
    return true;
}
