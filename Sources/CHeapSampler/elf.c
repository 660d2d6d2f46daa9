// Load bias and build id of a mapped ELF file, read from memory: the file on disk may be another one by now. Copies go
// through the kernel, since another thread may unload the library while we read.
#include "heap_sampler.h"
#include <elf.h>
#include <string.h>
#include "system_calls.h"

#define HEADERS 32
#define NOTE_BYTES 1024

static void find_build_id(struct oakum_heap_module *module, uint64_t address, uint64_t bytes) {
    _Alignas(8) uint8_t notes[NOTE_BYTES];
    if (bytes > sizeof notes) bytes = sizeof notes;
    if (!oh_copy(notes, address, bytes)) return;
    for (uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= bytes;) {
        Elf64_Nhdr note;
        memcpy(&note, notes + at, sizeof note);
        uint64_t name = at + sizeof note, text = name + (note.n_namesz + 3ull) / 4 * 4;
        uint64_t end = text + (note.n_descsz + 3ull) / 4 * 4;
        if (text > bytes || end > bytes || end <= at) return;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes + name, "GNU", 4) == 0) {
            module->build_id_bytes = note.n_descsz < sizeof module->build_id ? note.n_descsz : sizeof module->build_id;
            memcpy(module->build_id, notes + text, module->build_id_bytes);
            return;
        }
        at = end;
    }
}

bool oh_describe_elf(struct oakum_heap_module *module) {
    Elf64_Ehdr elf;
    Elf64_Phdr headers[HEADERS];
    if (!oh_copy(&elf, module->low, sizeof elf) || memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 ||
        elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_phentsize != sizeof *headers || elf.e_phnum == 0)
        return false;
    uint16_t count = elf.e_phnum < HEADERS ? elf.e_phnum : HEADERS;
    if (!oh_copy(headers, module->low + elf.e_phoff, count * sizeof *headers)) return false;
    bool has_bias = false;
    for (uint16_t index = 0; index < count; index++) {
        if (headers[index].p_type != PT_LOAD) continue;
        if (!has_bias) module->bias = module->low - (headers[index].p_vaddr & ~(OH_PAGE - 1));
        has_bias = true;
        uint64_t end = module->bias + headers[index].p_vaddr + headers[index].p_memsz;
        if (end > module->high) module->high = end; // zero-filled data has no file behind it
    }
    for (uint16_t index = 0; index < count && module->build_id_bytes == 0; index++) {
        if (headers[index].p_type == PT_NOTE)
            find_build_id(module, module->bias + headers[index].p_vaddr, headers[index].p_memsz);
    }
    return has_bias;
}
