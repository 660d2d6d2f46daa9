import Glibc

/// An incremental parser of HTTP/1.1 answers (RFC 9112): only what a load generator needs, from any split of the bytes.
///
/// Bounded: a line at most 16 KiB, at most 256 header lines, at most `keptBodyLimit` bytes of body and
/// `keptHeadersLimit` of header lines kept. Lines may end in a bare LF, as RFC 9112 section 2.2 allows. An answer that
/// states its length twice differently, or both as `Content-Length` and chunked, is refused: two readers of it would
/// disagree about where it ends.
struct ResponseParser {
    static let lineLimit = 16_384
    static let headerLimit = 256
    static let keptBodyLimit = 65_536
    static let keptHeadersLimit = 32_768

    enum Progress: Hashable {
        case needsMore
        /// The answer is complete; so many bytes after it were left alone.
        case complete(leftover: Int)
        case malformed(String)
    }

    private enum State {
        case statusLine
        case headers
        case fixed(remaining: UInt64)
        case chunkSize
        case chunk(remaining: UInt64)
        case chunkEnd
        case trailers
        case untilClose
        case complete
        case malformed(String)
    }

    private var state = State.statusLine
    private var line: [UInt8] = []
    private var headerCount = 0
    private var contentLength: UInt64?
    private var isChunked = false
    private var closes = false
    private var isHTTP10 = false
    private var expectsNoBody = false
    private var keepsBody = false
    private var keepsHeaders = false

    /// 0 before the status line is read.
    private(set) var status = 0
    /// Of `Keep-Alive: timeout=N`, in seconds.
    private(set) var keepAliveSeconds: Double?
    /// The first bytes of the body when they were asked for.
    private(set) var body: [UInt8] = []
    /// The header lines when they were asked for, each ended by a line feed.
    private(set) var headers: [UInt8] = []

    /// The server closes the connection after this answer.
    var closesConnection: Bool { closes }
    /// At least one byte has come since `reset`.
    private(set) var hasBegun = false

    /// Makes ready for the next answer on the same connection.
    mutating func reset(isHead: Bool, keepsBody: Bool, keepsHeaders: Bool = false) {
        state = .statusLine
        if !line.isEmpty { line.removeAll(keepingCapacity: true) }
        headerCount = 0
        contentLength = nil
        isChunked = false
        closes = false
        isHTTP10 = false
        expectsNoBody = isHead
        self.keepsBody = keepsBody
        self.keepsHeaders = keepsHeaders
        status = 0
        keepAliveSeconds = nil
        if !body.isEmpty { body.removeAll(keepingCapacity: true) }
        if !headers.isEmpty { headers.removeAll(keepingCapacity: true) }
        hasBegun = false
    }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Progress {
        hasBegun = hasBegun || !bytes.isEmpty
        var position = 0
        while position < bytes.count {
            switch state {
            case .fixed(let remaining):
                state = takeBody(bytes, &position, remaining).map { .fixed(remaining: $0) } ?? .complete
            case .chunk(let remaining):
                state = takeBody(bytes, &position, remaining).map { .chunk(remaining: $0) } ?? .chunkEnd
            case .untilClose:
                _ = takeBody(bytes, &position, .max)
            case .complete, .malformed:
                return progress(leftover: bytes.count - position)
            case .statusLine, .headers, .chunkSize, .chunkEnd, .trailers:
                takeLine(bytes, &position)
            }
        }
        return progress(leftover: 0)
    }

    /// The connection has ended. True when that completes the answer.
    mutating func end() -> Bool {
        guard case .untilClose = state else { return false }
        state = .complete
        return true
    }

    private func progress(leftover: Int) -> Progress {
        switch state {
        case .complete: .complete(leftover: leftover)
        case .malformed(let why): .malformed(why)
        default: .needsMore
        }
    }

    /// Handles the current line when its end is here, and keeps what there is of it when not. A line that lies within
    /// one piece is read where it lies.
    private mutating func takeLine(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
        guard let base = rest.baseAddress, let found = memchr(base, 0x0a, rest.count) else {
            position = bytes.count
            return keepPart(rest)
        }
        let length = UnsafeRawPointer(found) - base
        position += length + 1
        let piece = UnsafeRawBufferPointer(rebasing: rest[..<length])
        guard !line.isEmpty || piece.count > Self.lineLimit else { return handleLine(withoutReturn(piece)) }
        keepPart(piece)
        if case .malformed = state { return }
        let whole = line
        whole.withUnsafeBytes { handleLine(withoutReturn($0)) }
        line.removeAll(keepingCapacity: true)
    }

    private mutating func keepPart(_ piece: UnsafeRawBufferPointer) {
        guard line.count + piece.count <= Self.lineLimit else {
            state = .malformed("a line longer than \(Self.lineLimit) bytes")
            return
        }
        line.append(contentsOf: piece)
    }

    /// Takes body bytes; what remains afterwards, nil when none.
    private mutating func takeBody(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ remaining: UInt64
    ) -> UInt64? {
        let count = Int(min(UInt64(bytes.count - position), remaining))
        if keepsBody {
            let kept = min(count, Self.keptBodyLimit - body.count)
            body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[position..<position + kept]))
        }
        position += count
        return remaining == UInt64(count) ? nil : remaining - UInt64(count)
    }

    private mutating func handleLine(_ line: UnsafeRawBufferPointer) {
        switch state {
        case .statusLine: handleStatusLine(line)
        case .headers: line.isEmpty ? endOfHead() : handleHeader(line)
        case .chunkSize: handleChunkSize(line)
        case .chunkEnd: state = line.isEmpty ? .chunkSize : .malformed("a chunk longer than it says")
        case .trailers: if line.isEmpty { state = .complete } else { countHeader() }
        default: break
        }
    }

    private mutating func handleStatusLine(_ line: UnsafeRawBufferPointer) {
        // "HTTP/1.1 200 OK": the reason may be missing, the space before it too.
        guard line.count >= 12, line.starts(with: "HTTP/1.".utf8), line[8] == UInt8(ascii: " "),
            line[7] == UInt8(ascii: "1") || line[7] == UInt8(ascii: "0"),
            let code = decimal(part(line, 9, 12)), (100...599).contains(code),
            line.count == 12 || line[12] == UInt8(ascii: " ")
        else {
            state = .malformed("a status line that is not HTTP/1.1")
            return
        }
        status = Int(code)
        isHTTP10 = line[7] == UInt8(ascii: "0")
        closes = isHTTP10
        state = .headers
    }

    private mutating func countHeader() {
        headerCount += 1
        if headerCount > Self.headerLimit { state = .malformed("more than \(Self.headerLimit) header lines") }
    }

    private mutating func handleHeader(_ line: UnsafeRawBufferPointer) {
        countHeader()
        guard let base = line.baseAddress, let found = memchr(base, Int32(UInt8(ascii: ":")), line.count),
            UnsafeRawPointer(found) > base
        else {
            state = .malformed("a header line without a name")
            return
        }
        let colon = UnsafeRawPointer(found) - base
        if keepsHeaders, headers.count + line.count < Self.keptHeadersLimit {
            headers.append(contentsOf: line)
            headers.append(0x0a)
        }
        let name = part(line, 0, colon)
        // The length decides quickly for the many headers that do not matter here.
        switch colon {
        case 10 where equal(name, "connection"): handleConnection(part(line, colon + 1, line.count))
        case 10 where equal(name, "keep-alive"): handleKeepAlive(part(line, colon + 1, line.count))
        case 14 where equal(name, "content-length"): handleLength(trimmed(part(line, colon + 1, line.count)))
        case 17 where equal(name, "transfer-encoding"):
            isChunked = equal(trimmed(part(line, colon + 1, line.count)), "chunked")
            if !isChunked { state = .malformed("a transfer encoding other than chunked") }
        default: break
        }
    }

    private mutating func handleConnection(_ value: UnsafeRawBufferPointer) {
        for option in value.split(separator: UInt8(ascii: ",")) {
            let option = trimmed(UnsafeRawBufferPointer(rebasing: option))
            if equal(option, "close") { closes = true }
            if equal(option, "keep-alive"), isHTTP10 { closes = false }
        }
    }

    private mutating func handleKeepAlive(_ value: UnsafeRawBufferPointer) {
        for option in value.split(separator: UInt8(ascii: ",")) {
            let pair = option.split(separator: UInt8(ascii: "="), maxSplits: 1)
            guard pair.count == 2, equal(trimmed(UnsafeRawBufferPointer(rebasing: pair[0])), "timeout"),
                let seconds = decimal(trimmed(UnsafeRawBufferPointer(rebasing: pair[1])))
            else { continue }
            keepAliveSeconds = Double(seconds)
        }
    }

    private mutating func handleLength(_ value: UnsafeRawBufferPointer) {
        guard let length = decimal(value), contentLength == nil || contentLength == length else {
            state = .malformed("a Content-Length that is no number, or two that differ")
            return
        }
        contentLength = length
    }

    private mutating func endOfHead() {
        if (100..<200).contains(status), status != 101 {
            reset(isHead: expectsNoBody, keepsBody: keepsBody, keepsHeaders: keepsHeaders)
            hasBegun = true
            return
        }
        if isChunked, contentLength != nil {
            state = .malformed("both Content-Length and chunked")
        } else if expectsNoBody || status == 204 || status == 304 || contentLength == 0 {
            state = .complete
        } else if isChunked {
            state = .chunkSize
        } else if let contentLength {
            state = .fixed(remaining: contentLength)
        } else {
            closes = true
            state = .untilClose
        }
    }

    private mutating func handleChunkSize(_ line: UnsafeRawBufferPointer) {
        let end = line.firstIndex(of: UInt8(ascii: ";")) ?? line.count
        guard let size = hexadecimal(trimmed(part(line, 0, end))) else {
            state = .malformed("a chunk size that is no number")
            return
        }
        state = size == 0 ? .trailers : .chunk(remaining: size)
    }
}

private func part(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[start..<end])
}

private func withoutReturn(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    line.last == UInt8(ascii: "\r") ? part(line, 0, line.count - 1) : line
}

private func equal(_ bytes: UnsafeRawBufferPointer, _ lowercase: StaticString) -> Bool {
    guard bytes.count == lowercase.utf8CodeUnitCount else { return false }
    var pointer = lowercase.utf8Start
    for byte in bytes {
        let lower = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
        guard lower == pointer.pointee else { return false }
        pointer += 1
    }
    return true
}

private func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var start = 0
    var end = bytes.count
    while start < end, isSpace(bytes[start]) { start += 1 }
    while end > start, isSpace(bytes[end - 1]) { end -= 1 }
    return part(bytes, start, end)
}

private func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}

/// At most 15 digits, so that it never overflows.
private func decimal(_ digits: UnsafeRawBufferPointer) -> UInt64? {
    guard (1...15).contains(digits.count) else { return nil }
    var value: UInt64 = 0
    for digit in digits {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
        value = value * 10 + UInt64(digit - UInt8(ascii: "0"))
    }
    return value
}

private func hexadecimal(_ digits: UnsafeRawBufferPointer) -> UInt64? {
    guard (1...12).contains(digits.count) else { return nil }
    var value: UInt64 = 0
    for digit in digits {
        let lower = digit | 0x20
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
        default:
            guard (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(lower) else { return nil }
            value = value << 4 | UInt64(lower - UInt8(ascii: "a") + 10)
        }
    }
    return value
}
