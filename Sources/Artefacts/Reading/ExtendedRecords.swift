/// What a pax header says about the entry that follows (POSIX.1-2001, pax, "Extended Header"): of all records those that
/// change what is unpacked. Times, owners and attributes are not unpacked.
struct ExtendedRecords {
    var path: [UInt8]?
    var link: [UInt8]?
    var size: Int64?

    /// - Throws: `.damaged` when a record is not "LENGTH KEY=VALUE\n", or stands there twice; `.unsafeKind` for a sparse file.
    init(_ bytes: [UInt8], at place: String) throws(ArtefactError) {
        let damaged = ArtefactError(.damaged, place, "a pax header that cannot be read")
        var rest = bytes[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...7).contains(digits.count), let length = Int(String(decoding: digits, as: UTF8.self)),
                length > digits.count + 1, length <= rest.count
            else { throw damaged }
            let record = rest.prefix(length).dropFirst(digits.count)
            rest = rest.dropFirst(length)
            guard record.first == UInt8(ascii: " "), record.last == UInt8(ascii: "\n"),
                let equals = record.firstIndex(of: UInt8(ascii: "="))
            else { throw damaged }
            let key = String(decoding: record[record.startIndex + 1..<equals], as: UTF8.self)
            try take(key, Array(record[(equals + 1)...].dropLast()), at: place)
        }
    }

    private mutating func take(_ key: String, _ value: [UInt8], at place: String) throws(ArtefactError) {
        let twice = ArtefactError(.damaged, place, "a pax header that says \(EntryPath.shown(Array(key.utf8))) twice")
        switch key {
        case "path":
            guard path == nil else { throw twice }
            path = value
        case "linkpath":
            guard link == nil else { throw twice }
            link = value
        case "size":
            guard size == nil else { throw twice }
            guard (1...18).contains(value.count), value.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw ArtefactError(.damaged, place, "a pax header with a size that is no number")
            }
            size = Int64(String(decoding: value, as: UTF8.self))
        case _ where key.hasPrefix("GNU.sparse."):
            throw ArtefactError(.unsafeKind, place, "a sparse file: pack it without tar's --sparse")
        default: return
        }
    }

    /// True when nothing of it would change an entry.
    var isWithoutEffect: Bool { path == nil && link == nil && size == nil }
}
