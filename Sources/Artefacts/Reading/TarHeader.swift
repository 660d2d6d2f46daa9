/// One block of 512 bytes that begins an entry of a tar archive: ustar (POSIX.1-1988) and GNU tar's variant.
struct TarHeader {
    enum Dialect {
        case posix
        case gnu
    }

    static let blockBytes = 512

    let dialect: Dialect
    /// The byte that tells what it is; "\0" is told as "0".
    let flag: UInt8
    let name: [UInt8]
    let link: [UInt8]
    let size: Int64
    let mode: UInt32

    /// - Parameter place: for errors: which block it is.
    /// - Throws: `.damaged` when the checksum or a number is wrong, `.notAnArtefact` for an unknown dialect.
    init(_ block: [UInt8], at place: String) throws(ArtefactError) {
        let sum = block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int64($1.element)) }
        guard let written = Self.number(block[148..<156]), written == sum else {
            throw ArtefactError(.damaged, place, "the checksum of this tar header is wrong")
        }
        switch Array(block[257..<265]) {
        case Array("ustar\u{0}00".utf8): dialect = .posix
        case Array("ustar  \u{0}".utf8): dialect = .gnu
        default:
            throw ArtefactError(.notAnArtefact, place, "no tar archive that is read here: ustar, pax and GNU tar are")
        }
        guard let size = Self.number(block[124..<136]), let mode = Self.number(block[100..<108]) else {
            throw ArtefactError(.damaged, place, "a number of this tar header cannot be read")
        }
        self.size = size
        self.mode = UInt32(truncatingIfNeeded: mode & 0o7777)
        flag = block[156] == 0 ? UInt8(ascii: "0") : block[156]
        let last = Self.text(block[0..<100])
        let prefix = dialect == .posix ? Self.text(block[345..<500]) : []
        name = prefix.isEmpty ? last : prefix + [UInt8(ascii: "/")] + last
        link = Self.text(block[157..<257])
    }

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// Octal digits, or big-endian binary after a byte 0x80 (GNU). Nil for anything else, negative numbers included.
    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        if field.first == 0x80 {
            guard field.dropFirst().dropLast(7).allSatisfy({ $0 == 0 }) else { return nil }
            return field.suffix(7).reduce(0) { $0 << 8 | Int64($1) }
        }
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else { return nil }
            value = value << 3 | Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
