/// Why bytes are no usable zone file.
package enum ZoneFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// They do not begin as one.
    case foreign
    case cutOff
    /// Larger than `ZoneRules.longestFile`.
    case tooLarge
    /// Against RFC 9636; in words.
    case invalid(String)
    /// Its times count leap seconds, as those in `zoneinfo/right` do; clocks of computers do not.
    case countsLeapSeconds

    package var description: String {
        switch self {
        case .foreign: "not a zone file (TZif)"
        case .cutOff: "the zone file is cut off"
        case .tooLarge: "the zone file is larger than \(ZoneRules.longestFile) bytes"
        case .invalid(let what): "the zone file is damaged: \(what)"
        case .countsLeapSeconds: "the zone file counts leap seconds; take the one outside of `right/`"
        }
    }
}

extension ZoneRules {
    /// In bytes; those of the tz database stay under 4 KiB.
    package static let longestFile = 64 << 10

    /// Reads a compiled zone file (TZif, RFC 9636), all versions.
    package init(name: String, file: [UInt8]) throws(ZoneFileError) {
        guard file.count <= Self.longestFile else { throw .tooLarge }
        var reader = ZoneFileReader(bytes: file)
        let first = try reader.header()
        guard first.version > 0 else {
            let (period, transitions) = try reader.block(first, wide: false)
            self.init(name: name, first: period, transitions: transitions)
            return
        }
        // Version 2 and later: all of it stands once more with 64-bit times, followed by the rule.
        try reader.skip(first.size(wide: false))
        let second = try reader.header()
        let (period, transitions) = try reader.block(second, wide: true)
        self.init(name: name, first: period, transitions: transitions, rule: try reader.footer())
    }

    /// Whether a name can be that of a zone, and is safe to look up as a path within a folder of zones: letters, digits,
    /// `_`, `+`, `-`, parts divided by `/`, at most 64 bytes.
    package static func isName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count) else { return false }
        return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
                }
        }
    }
}

/// The counts at the beginning of a block.
private struct ZoneFileHeader {
    var version: UInt8
    var utcIndicators: Int
    var standardIndicators: Int
    var leapSeconds: Int
    var transitions: Int
    var types: Int
    var nameBytes: Int

    func size(wide: Bool) -> Int {
        let time = wide ? 8 : 4
        return transitions * (time + 1) + types * 6 + nameBytes + leapSeconds * (time + 4) + standardIndicators
            + utcIndicators
    }
}

/// Reads from the front; never beyond the end.
private struct ZoneFileReader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func header() throws(ZoneFileError) -> ZoneFileHeader {
        guard bytes.count - position >= 44 else { throw position == 0 ? .foreign : .cutOff }
        guard bytes[position..<position + 4].elementsEqual("TZif".utf8) else { throw .foreign }
        let version = bytes[position + 4]
        position += 20
        var counts: [Int] = []
        for _ in 0..<6 {
            let count = Int(try integer(4))
            guard (0...ZoneRules.longestFile).contains(count) else { throw .invalid("a count is out of range") }
            counts.append(count)
        }
        return ZoneFileHeader(
            version: version, utcIndicators: counts[0], standardIndicators: counts[1], leapSeconds: counts[2],
            transitions: counts[3], types: counts[4], nameBytes: counts[5])
    }

    mutating func skip(_ count: Int) throws(ZoneFileError) {
        guard bytes.count - position >= count else { throw .cutOff }
        position += count
    }

    mutating func block(
        _ header: ZoneFileHeader, wide: Bool
    ) throws(ZoneFileError) -> (first: ZonePeriod, transitions: [ZoneTransition]) {
        let start = position
        guard bytes.count - start >= header.size(wide: wide) else { throw .cutOff }
        guard header.leapSeconds == 0 else { throw .countsLeapSeconds }
        guard (1...256).contains(header.types), header.nameBytes > 0 else { throw .invalid("it has no local time") }
        var times: [Int64] = []
        for _ in 0..<header.transitions {
            let time = try integer(wide ? 8 : 4)
            guard times.last.map({ $0 < time }) ?? true else { throw .invalid("its transitions are out of order") }
            times.append(time)
        }
        let kinds = Array(bytes[position..<position + header.transitions])
        try skip(header.transitions)
        let periods = try periods(header)
        var transitions: [ZoneTransition] = []
        for (time, kind) in zip(times, kinds) {
            guard Int(kind) < periods.count else { throw .invalid("a transition leads to an unknown local time") }
            transitions.append(ZoneTransition(at: time, period: periods[Int(kind)]))
        }
        position = start
        try skip(header.size(wide: wide))
        return (periods[0], transitions)
    }

    private mutating func periods(_ header: ZoneFileHeader) throws(ZoneFileError) -> [ZonePeriod] {
        var raw: [(offset: Int64, name: Int)] = []
        for _ in 0..<header.types {
            let offset = try integer(4)
            guard (-93_599...93_599).contains(offset) else { throw .invalid("a local time is more than 26 h from UTC") }
            let name = Int(try integer(2) & 0xFF)
            guard name < header.nameBytes else { throw .invalid("a name lies outside of the names") }
            raw.append((offset, name))
        }
        let names = bytes[position..<position + header.nameBytes]
        var periods: [ZonePeriod] = []
        for (offset, start) in raw {
            let name = names[(names.startIndex + start)...].prefix { $0 != 0 }
            guard name.allSatisfy({ (32...126).contains($0) }) else { throw .invalid("a name is not plain text") }
            periods.append(
                ZonePeriod(offsetSeconds: Int32(offset), abbreviation: String(decoding: name, as: UTF8.self)))
        }
        return periods
    }

    /// The rule between two line feeds; nil: there is none.
    mutating func footer() throws(ZoneFileError) -> YearlyRule? {
        let lineFeed = UInt8(ascii: "\n")
        let rest = bytes[position...]
        guard rest.first == lineFeed, let end = rest.dropFirst().firstIndex(of: lineFeed) else { throw .cutOff }
        let text = rest[(position + 1)..<end]
        guard !text.isEmpty else { return nil }
        guard let rule = YearlyRule(posix: String(decoding: text, as: UTF8.self)) else {
            throw .invalid("its rule for later years cannot be read")
        }
        return rule
    }

    /// Big-endian, signed for 4 and 8 bytes.
    private mutating func integer(_ width: Int) throws(ZoneFileError) -> Int64 {
        guard bytes.count - position >= width else { throw .cutOff }
        var value: UInt64 = 0
        for byte in bytes[position..<position + width] { value = value << 8 | UInt64(byte) }
        position += width
        return width == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }
}
