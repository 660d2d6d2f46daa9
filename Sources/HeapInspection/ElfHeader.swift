/// What the program headers of a 64-bit little-endian ELF image tell (elf(5)); no sections, no debug information.
package struct ElfHeader: Hashable, Sendable {
    package struct Segment: Hashable, Sendable {
        package var address: UInt64
        package var byteCount: UInt64
        package var isWritable: Bool
        package var isExecutable: Bool
    }

    /// PT_LOAD, in the order of the file; addresses without load bias.
    package var segments: [Segment] = []
    /// Made read-only after relocation (PT_GNU_RELRO).
    package var relro: Range<UInt64>?
    /// Of `.note.gnu.build-id`; empty when there is none.
    package var buildID: [UInt8] = []
    package var isPositionIndependent = false

    package static let programHeaderLimit = 128
    package static let noteBytesLimit = 4_096
    package static let buildIDLimit = 64

    /// The lowest address, rounded down to a page: where the image's first byte belongs.
    package var lowest: UInt64 {
        (segments.map(\.address).min() ?? 0) & ~4_095
    }

    package var highest: UInt64 {
        segments.map { $0.address &+ $0.byteCount }.max() ?? 0
    }

    /// Reads the headers of an image; nil when it is none or not for x86-64.
    /// - Parameter read: bytes of the image from an offset on; nil when it has none there. In memory and in the file
    ///   the headers and notes have the same offset from the start, as the first segment begins there.
    package init?(_ read: (_ offset: UInt64, _ count: Int) -> [UInt8]?) {
        guard let head = read(0, 64), head.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]) else { return nil }
        let type: UInt16 = Self.integer(head, 16)
        let machine: UInt16 = Self.integer(head, 18)
        let tableOffset: UInt64 = Self.integer(head, 32)
        let entryBytes: UInt16 = Self.integer(head, 54)
        let count: UInt16 = Self.integer(head, 56)
        guard machine == 62, type == 2 || type == 3, entryBytes == 56, count > 0, count <= Self.programHeaderLimit,
            tableOffset < 1 << 32, let table = read(tableOffset, Int(count) * 56), table.count == Int(count) * 56
        else { return nil }
        isPositionIndependent = type == 3
        var notes: [(offset: UInt64, count: UInt64)] = []
        for index in 0..<Int(count) {
            let base = index * 56
            let kind: UInt32 = Self.integer(table, base)
            let flags: UInt32 = Self.integer(table, base + 4)
            let offset: UInt64 = Self.integer(table, base + 8)
            let address: UInt64 = Self.integer(table, base + 16)
            let memory: UInt64 = Self.integer(table, base + 40)
            guard address < 1 << 47, memory < 1 << 47 else { return nil }
            switch kind {
            case 1:
                segments.append(
                    Segment(
                        address: address, byteCount: memory, isWritable: flags & 2 != 0, isExecutable: flags & 1 != 0))
            case 4: notes.append((offset, memory))
            case 0x6474_E552: relro = address..<address + memory
            default: break
            }
        }
        guard !segments.isEmpty else { return nil }
        for note in notes where buildID.isEmpty && note.offset < 1 << 32 {
            guard let bytes = read(note.offset, Int(min(note.count, UInt64(Self.noteBytesLimit)))) else { continue }
            buildID = Self.buildID(bytes) ?? []
        }
    }

    /// NT_GNU_BUILD_ID (3) of owner "GNU" among a segment's notes.
    private static func buildID(_ bytes: [UInt8]) -> [UInt8]? {
        var position = 0
        while position + 12 <= bytes.count {
            let nameBytes: UInt32 = integer(bytes, position)
            let contentBytes: UInt32 = integer(bytes, position + 4)
            let type: UInt32 = integer(bytes, position + 8)
            guard nameBytes <= 4_096, contentBytes <= 4_096 else { return nil }
            let content = position + 12 + (Int(nameBytes) + 3) / 4 * 4
            let end = content + Int(contentBytes)
            guard end <= bytes.count else { return nil }
            if type == 3, nameBytes == 4,
                bytes[(position + 12)..<(position + 16)].elementsEqual([0x47, 0x4E, 0x55, 0]),
                contentBytes > 0, contentBytes <= buildIDLimit
            {
                return Array(bytes[content..<end])
            }
            position = content + (Int(contentBytes) + 3) / 4 * 4
        }
        return nil
    }

    private static func integer<T: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int) -> T {
        bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }
}
