// operator new and delete come through malloc and free.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

extern "C" {
#include "check.h"
}
#define restrict
#include <fcntl.h>

extern "C" int has_record(const void *block, uint64_t size);

struct alignas(128) Wide {
    char bytes[256];
};

int main() {
    auto *number = new long[100];
    CHECK(has_record(number, 800) == 1);
    delete[] number;
    CHECK(has_record(number, 800) == 0);
    auto *wide = new Wide;
    CHECK(reinterpret_cast<uintptr_t>(wide) % 128 == 0 && has_record(wide, 256) == 1);
    delete wide;
    CHECK(has_record(wide, 256) == 0);
    auto text = std::make_unique<std::string>(1000, 'x');
    CHECK(has_record(text->data(), 1001) == 1);
    CHECK(has_record(::operator new(77, std::nothrow), 77) == 1);
    bool thrown = false;
    try {
        volatile size_t huge = SIZE_MAX / 4;
        kept(::operator new(huge));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown);
    return 0;
}
