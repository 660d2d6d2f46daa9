/// A segment: a header, then records, each framed by its length and its checksum. Segments are only appended to, and only
/// by the process that created them, so that damage stays where it happened: a reader takes the records up to the first
/// that is torn or rotten and drops the rest of that one segment.
enum SegmentFormat {
    /// "OAKHIST" and the version of the format.
    static let magic: [UInt8] = Array("OAKHIST".utf8) + [version]
    static let version: UInt8 = 1
    static let headerBytes = 20

    enum Header: Equatable {
        /// Wall clock of its first record, milliseconds.
        case starts(Int64)
        case damaged
        /// Written by a later Oakum in another format.
        case newer(UInt8)
    }

    static func header(start: Int64) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(magic)
        writer.fixed(UInt64(bitPattern: start))
        writer.fixed(CRC32.of(writer.bytes))
        return writer.bytes
    }

    static func readHeader(_ bytes: [UInt8]) -> Header {
        var reader = ByteReader(bytes, from: magic.count, to: headerBytes)
        guard bytes.count >= headerBytes, bytes.starts(with: magic.dropLast()), let start = reader.fixed(UInt64.self),
            reader.fixed(UInt32.self) == CRC32.of(bytes[..<(headerBytes - 4)])
        else { return .damaged }
        let found = bytes[magic.count - 1]
        return found > version ? .newer(found) : .starts(Int64(bitPattern: start))
    }

    static func frame(_ record: HistoryRecord) -> [UInt8] {
        let payload = record.encoded()
        var writer = ByteWriter()
        writer.fixed(UInt32(payload.count))
        writer.fixed(CRC32.of(payload))
        writer.append(payload)
        return writer.bytes
    }

    /// Calls `visit` with each whole record in turn. Returns how many bytes it had to leave unread.
    static func read(_ bytes: [UInt8], _ visit: (HistoryRecord) -> Void) -> Int {
        guard case .starts = readHeader(bytes) else { return bytes.count }
        var position = headerBytes
        while true {
            var frame = ByteReader(bytes, from: position)
            guard let length = frame.fixed(UInt32.self).map(Int.init), let checksum = frame.fixed(UInt32.self),
                length <= HistoryRecord.maximumBytes, frame.remaining >= length
            else { return bytes.count - position }
            let start = frame.position
            var payload = ByteReader(bytes, from: start, to: start + length)
            guard CRC32.of(bytes[start..<(start + length)]) == checksum, let record = HistoryRecord(&payload)
            else { return bytes.count - position }
            visit(record)
            position = start + length
        }
    }
}
