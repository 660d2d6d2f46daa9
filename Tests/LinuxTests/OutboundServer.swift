import Glibc
import Synchronization

/// A server of a few lines for the tests of `Outbound`: reads one request head (and body by its length) on a thread per
/// connection, and answers as the script says.
final class OutboundServer: Sendable {
    enum Reply: Sendable {
        case bytes(String)
        /// Sends the first text once, the other again and again until the client hangs up.
        case flood(String, then: String)
        /// Reads on until the client hangs up; never answers.
        case silence
    }
    enum Place {
        case loopback
        case unix(String)
    }

    let port: UInt16
    private let listener: Int32
    private let script: @Sendable (String) -> Reply
    private let log = Mutex<(requests: [String], connections: Int)>(([], 0))

    init(_ place: Place = .loopback, script: @escaping @Sendable (String) -> Reply) throws {
        self.script = script
        let family: Int32
        switch place {
        case .loopback: family = AF_INET
        case .unix: family = AF_UNIX
        }
        listener = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        switch place {
        case .loopback: port = try Self.bindLoopback(listener)
        case .unix(let path):
            port = 0
            try Self.bindUnix(listener, path)
        }
        guard Glibc.listen(listener, 64) == 0 else { throw OutboundServerError.listen(errno) }
        Self.onThread { self.acceptLoop() }
    }

    var requests: [String] { log.withLock { $0.requests } }
    var connections: Int { log.withLock { $0.connections } }

    /// Drops the requests that were kept.
    func forget() {
        log.withLock { $0.requests = [] }
    }

    var url: String { "http://127.0.0.1:\(port)" }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    static func answer(_ body: String, status: String = "200 OK", headers: String = "") -> Reply {
        .bytes("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    // MARK: - Sockets

    private static func bindLoopback(_ listener: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(listener, generic, length) == 0 else { throw OutboundServerError.bind(errno) }
                getsockname(listener, generic, &length)
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
    }

    private static func bindUnix(_ listener: Int32, _ path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
        }
        guard result == 0 else { throw OutboundServerError.bind(errno) }
    }

    private func acceptLoop() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            log.withLock { $0.connections += 1 }
            Self.onThread { self.serve(connection) }
        }
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        while let request = readRequest(connection) {
            log.withLock { $0.requests.append(request) }
            switch script(request) {
            case .bytes(let text):
                guard send(connection, text) else { return }
            case .flood(let first, let rest):
                guard send(connection, first) else { return }
                while send(connection, rest) {}
                return
            case .silence:
                while readSome(connection) != nil {}
                return
            }
        }
    }

    private func readRequest(_ connection: Int32) -> String? {
        var bytes: [UInt8] = []
        while true {
            guard let more = readSome(connection) else { return nil }
            bytes += more
            guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
            let wanted = Self.contentLength(String(decoding: bytes[..<end.lowerBound], as: UTF8.self))
            if bytes.count - end.upperBound >= wanted { return String(decoding: bytes, as: UTF8.self) }
        }
    }

    private static func contentLength(_ head: String) -> Int {
        for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length:") {
            return Int(line.split(separator: " ").last ?? "") ?? 0
        }
        return 0
    }

    private func readSome(_ connection: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(connection, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    private func send(_ connection: Int32, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        pthread_detach(thread)
    }
}

enum OutboundServerError: Error {
    case bind(Int32)
    case listen(Int32)
}
