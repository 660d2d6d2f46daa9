/// One line of `/proc/PID/maps`.
package struct MemoryRegion: Hashable, Sendable {
    package var start: UInt64
    /// One behind the last byte.
    package var end: UInt64
    package var isReadable: Bool
    package var isWritable: Bool
    package var isExecutable: Bool
    package var isShared: Bool
    /// Offset in the file.
    package var offset: UInt64
    package var inode: UInt64
    /// A file, a name in brackets ("[heap]"), or empty.
    package var path: String

    package init(
        start: UInt64, end: UInt64, isReadable: Bool, isWritable: Bool, isExecutable: Bool, isShared: Bool,
        offset: UInt64, inode: UInt64, path: String
    ) {
        self.start = start
        self.end = end
        self.isReadable = isReadable
        self.isWritable = isWritable
        self.isExecutable = isExecutable
        self.isShared = isShared
        self.offset = offset
        self.inode = inode
        self.path = path
    }

    package var byteCount: UInt64 { end - start }

    package func contains(_ address: UInt64) -> Bool { address >= start && address < end }
}

/// The mappings of a process, in the order of their addresses (proc_pid_maps(5)).
package struct MemoryMap: Hashable, Sendable {
    /// What is read of the file at most: over 200,000 lines. More is an error, as half a map would give wrong answers.
    package static let textLimit = 32 << 20
    package static let regionLimit = 262_144

    package private(set) var regions: [MemoryRegion] = []

    /// Reads the file's content.
    /// - Throws: `InspectionError.malformed` for a line that is none, regions out of order, or too many of them.
    package init(_ text: [UInt8]) throws(InspectionError) {
        guard text.count < Self.textLimit else {
            throw .malformed("the memory map is longer than \(Self.textLimit) bytes: too many mappings to look through")
        }
        var last: UInt64 = 0
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let region = Self.region(line) else {
                throw .malformed(
                    "a line of the memory map is malformed: \(String(decoding: line.prefix(80), as: UTF8.self))")
            }
            guard region.start >= last else { throw .malformed("the memory map is not in order") }
            last = region.end
            guard regions.count < Self.regionLimit else {
                throw .malformed("more than \(Self.regionLimit) mappings: too many to look through")
            }
            regions.append(region)
        }
    }

    /// Checks and keeps regions made otherwise: sorted, not overlapping.
    package init(regions: [MemoryRegion]) throws(InspectionError) {
        var last: UInt64 = 0
        for region in regions {
            guard region.start >= last, region.end > region.start else {
                throw .malformed("the memory map is not in order")
            }
            last = region.end
        }
        self.regions = regions
    }

    /// The region an address lies in; nil when there is none. Logarithmic.
    package func region(of address: UInt64) -> MemoryRegion? {
        index(of: address).map { regions[$0] }
    }

    package func index(of address: UInt64) -> Int? {
        var low = 0
        var high = regions.count
        while low < high {
            let middle = (low + high) / 2
            if regions[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, regions[low - 1].contains(address) else { return nil }
        return low - 1
    }

    /// "55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0    [heap]"
    private static func region(_ line: ArraySlice<UInt8>) -> MemoryRegion? {
        var rest = line
        guard let start = hexadecimal(&rest), take(UInt8(ascii: "-"), &rest), let end = hexadecimal(&rest),
            end > start, take(space, &rest), rest.count > 5
        else { return nil }
        let rights = Array(rest.prefix(4))
        rest = rest.dropFirst(4)
        guard take(space, &rest), let offset = hexadecimal(&rest), take(space, &rest),
            hexadecimal(&rest) != nil, take(UInt8(ascii: ":"), &rest), hexadecimal(&rest) != nil, take(space, &rest),
            let inode = decimal(&rest)
        else { return nil }
        rest = rest.drop { $0 == space }
        return MemoryRegion(
            start: start, end: end, isReadable: rights[0] == UInt8(ascii: "r"),
            isWritable: rights[1] == UInt8(ascii: "w"), isExecutable: rights[2] == UInt8(ascii: "x"),
            isShared: rights[3] == UInt8(ascii: "s"), offset: offset, inode: inode,
            path: String(decoding: rest.prefix(4_096), as: UTF8.self))
    }

    private static let space = UInt8(ascii: " ")

    private static func take(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func hexadecimal(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        while let byte = rest.first, let digit = Character(UnicodeScalar(byte)).hexDigitValue {
            guard digits < 16 else { return nil }
            value = value << 4 | UInt64(digit)
            digits += 1
            rest = rest.dropFirst()
        }
        return digits > 0 ? value : nil
    }

    private static func decimal(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        while let byte = rest.first, (0x30...0x39).contains(byte) {
            guard digits < 19 else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
            digits += 1
            rest = rest.dropFirst()
        }
        return digits > 0 ? value : nil
    }
}
