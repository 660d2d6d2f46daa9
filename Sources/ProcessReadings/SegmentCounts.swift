/// TCP segments of the network namespace since it began (RFC 4022 names them, `/proc/net/snmp` tells them).
package struct SegmentCounts: Hashable, Sendable {
    package var sent: UInt64
    package var retransmitted: UInt64

    /// Reads the content of `/proc/net/snmp`: a line of names and a line of numbers for each protocol. Nil when it is not
    /// that.
    package init?(_ bytes: Span<UInt8>) {
        var names: [String: Int] = [:]
        var scanner = ByteScanner()
        while !scanner.isAtEnd(bytes) {
            guard scanner.take("Tcp:", bytes) else {
                scanner.skipLine(bytes)
                continue
            }
            guard !names.isEmpty else {
                names = Self.names(&scanner, bytes)
                scanner.skipLine(bytes)
                continue
            }
            guard let sent = names["OutSegs"], let again = names["RetransSegs"] else { return nil }
            let numbers = Self.numbers(&scanner, bytes)
            guard let sentCount = numbers[sent], let againCount = numbers[again] else { return nil }
            (self.sent, retransmitted) = (sentCount, againCount)
            return
        }
        return nil
    }

    /// nil where it cannot be read.
    package static func now() -> SegmentCounts? {
        FileBytes.read(path: "/proc/net/snmp", limit: 64 << 10).flatMap { SegmentCounts($0.span) }
    }

    /// Names of a line by their place; of a longer line than any kernel's, the first 64.
    private static func names(_ scanner: inout ByteScanner, _ bytes: Span<UInt8>) -> [String: Int] {
        var result: [String: Int] = [:]
        for place in 0..<64 {
            scanner.skipBlanks(bytes)
            let start = scanner.position
            guard scanner.skipField(bytes) else { break }
            let word = (start..<scanner.position).map { bytes[$0] }
            result[String(decoding: word, as: UTF8.self)] = place
        }
        return result
    }

    /// Numbers of a line by their place; some, such as MaxConn, are negative and left out.
    private static func numbers(_ scanner: inout ByteScanner, _ bytes: Span<UInt8>) -> [Int: UInt64] {
        var result: [Int: UInt64] = [:]
        for place in 0..<64 {
            var field = scanner
            guard scanner.skipField(bytes) else { break }
            result[place] = field.number(bytes)
        }
        return result
    }
}
