/// The build identity of an ELF file: the note that linkers write with `--build-id` (elf(5), `NT_GNU_BUILD_ID`).
package enum BuildIdentity {
    /// So much of the begin of a file holds its headers and notes, as linkers lay files out.
    package static let headBytes = 16 << 10

    /// The identity in hexadecimal; nil when the bytes are no 64-bit little-endian ELF file or hold no such note.
    package static func text(inHead bytes: [UInt8]) -> String? {
        guard bytes.count >= 64, bytes[0] == 0x7F, bytes[1] == 0x45, bytes[2] == 0x4C, bytes[3] == 0x46,
            bytes[4] == 2, bytes[5] == 1, let table = number(bytes, 32, 8), let size = number(bytes, 54, 2),
            let count = number(bytes, 56, 2), size >= 56
        else { return nil }
        for index in 0..<count {
            guard let entry = sum(table, index * size), let type = number(bytes, entry, 4) else { return nil }
            // PT_NOTE
            guard type == 4, let start = number(bytes, entry + 8, 8), let length = number(bytes, entry + 32, 8) else {
                continue
            }
            if let found = note(bytes, from: start, length: length) { return found }
        }
        return nil
    }

    private static func note(_ bytes: [UInt8], from start: Int, length: Int) -> String? {
        guard let end = sum(start, length) else { return nil }
        var place = start
        while place < end, let nameSize = number(bytes, place, 4), let size = number(bytes, place + 4, 4),
            let type = number(bytes, place + 8, 4)
        {
            guard let name = sum(place, 12), let content = sum(name, padded(nameSize)),
                let next = sum(content, padded(size)), content + size <= bytes.count
            else { return nil }
            // NT_GNU_BUILD_ID of "GNU\0"; 20 bytes as a rule.
            if type == 3, nameSize == 4, bytes[name] == 0x47, bytes[name + 1] == 0x4E, bytes[name + 2] == 0x55,
                (4...64).contains(size)
            {
                return bytes[content..<(content + size)].map { hexadecimal($0) }.joined()
            }
            place = next
        }
        return nil
    }

    private static func padded(_ size: Int) -> Int { (size + 3) & ~3 }

    /// Nil beyond what any file of interest holds.
    private static func sum(_ one: Int, _ other: Int) -> Int? {
        let (result, overflow) = one.addingReportingOverflow(other)
        return overflow || result < 0 || result > 1 << 40 ? nil : result
    }

    /// Little-endian; nil where the bytes end, and for what does not fit.
    private static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int? {
        guard place >= 0, place <= bytes.count - count else { return nil }
        var result: UInt64 = 0
        for index in 0..<count { result |= UInt64(bytes[place + index]) << UInt64(8 * index) }
        return Int(exactly: result)
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
    }
}
