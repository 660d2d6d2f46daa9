/// Collects an answer as libcurl hands it over. A function that takes fewer bytes than given ends the transfer.
final class AnswerBuffer {
    /// Of the body, in bytes.
    let limit: Int
    private(set) var body: [UInt8] = []
    private(set) var headers: [(String, String)] = []
    private(set) var overflowed = false
    /// The body was longer than `limit`, and its beginning is wanted.
    private(set) var isCut = false
    private let cutsBody: Bool
    private let watch: ProgressWatch
    private var headerBytes = 0
    /// All header lines of one answer together, interim answers included.
    private static let headerLimit = 65_536

    init(limit: Int, oversize: OutboundRequest.Oversize, watch: ProgressWatch) {
        self.limit = max(0, limit)
        self.cutsBody = oversize == .isCut
        self.watch = watch
    }

    func body(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard bytes.count <= limit - body.count else {
            if cutsBody {
                isCut = true
                body.append(contentsOf: bytes.prefix(limit - body.count))
            } else {
                overflowed = true
            }
            return 0
        }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    func header(_ bytes: UnsafeRawBufferPointer) -> Int {
        watch.requestIsSent()
        headerBytes += bytes.count
        guard headerBytes <= Self.headerLimit else {
            overflowed = true
            return 0
        }
        if bytes.starts(with: "HTTP/".utf8) {
            // A status line: what came before belonged to an interim answer.
            headers.removeAll()
        } else if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
            headers.append((Self.text(bytes[..<colon]), Self.text(bytes[(colon + 1)...])))
        }
        return bytes.count
    }

    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        func blank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        guard let first = bytes.firstIndex(where: { !blank($0) }), let last = bytes.lastIndex(where: { !blank($0) })
        else { return "" }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }
}
