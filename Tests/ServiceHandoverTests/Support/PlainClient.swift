import Glibc
import NIOPosix
import OakumTestKit
import ServiceHandover
import Synchronization

/// How a request came to nothing, kept apart because each means another fault of the server.
enum ClientFailure: Error, Hashable {
    case refused(CInt)
    case reset(CInt)
    case ended(afterBytes: Int)
    case timedOut(afterBytes: Int)
    case malformed(String)
}

/// What a server answered.
struct Answer: Equatable {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var closes: Bool { headers["connection"] == "close" }
}

/// A client on one blocking socket that never retries and never hides what it saw. Use it off the cooperative pool.
final class PlainClient: Sendable {
    private let descriptor: CInt
    private let buffer = Mutex<[UInt8]>([])

    /// Connects; every later wait is at most `patience` seconds.
    init(_ address: ListenAddress, patience: Double = 10) throws {
        switch address {
        case .hostname(_, let port):
            descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            var target = sockaddr_in.loopback(port: UInt16(port))
            try Self.connect(descriptor, &target)
        case .unixDomainSocket(let path):
            descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            var target = try sockaddr_un.path(path)
            try Self.connect(descriptor, &target)
        }
        let seconds = patience.rounded(.down)
        var wait = timeval(tv_sec: Int(seconds), tv_usec: Int((patience - seconds) * 1_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var yes: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit { close(descriptor) }

    private static func connect<Address>(_ descriptor: CInt, _ address: inout Address) throws {
        let size = socklen_t(MemoryLayout<Address>.size)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, size) }
        }
        guard code == 0 else {
            let failure = errno
            close(descriptor)
            throw ClientFailure.refused(failure)
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { pointer in
                Glibc.send(descriptor, pointer.baseAddress?.advanced(by: sent), bytes.count - sent, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ClientFailure.reset(errno) }
            sent += count
        }
    }

    /// Ends our side; answers can still come.
    func finishSending() { shutdown(descriptor, CInt(SHUT_WR)) }

    func get(_ path: String, headers: String = "") throws -> Answer {
        try send("GET \(path) HTTP/1.1\r\nHost: test\r\n\(headers)\r\n")
        return try answer()
    }

    /// Reads one answer by its stated length, by chunks, or to the end of the connection.
    func answer(hasBody: Bool = true) throws -> Answer {
        let head = try upTo([13, 10, 13, 10])
        var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        let first = lines.removeFirst().split(separator: " ")
        guard first.count >= 2, first[0].hasPrefix("HTTP/1."), let status = Int(first[1]) else {
            throw ClientFailure.malformed(String(decoding: head, as: UTF8.self))
        }
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw ClientFailure.malformed(String(line)) }
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        var answer = Answer(status: status, headers: headers, body: [])
        guard hasBody else { return answer }
        if let length = headers["content-length"].flatMap({ Int($0) }) {
            answer.body = try exactly(length)
        } else if headers["transfer-encoding"] == "chunked" {
            answer.body = try chunks()
        } else {
            answer.body = try toTheEnd()
        }
        return answer
    }

    /// Everything until the server ends its side.
    func toTheEnd() throws -> [UInt8] {
        while try fill() {}
        return take(count: .max) ?? []
    }

    private func chunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = String(decoding: try upTo([13, 10]).dropLast(2), as: UTF8.self)
            guard let size = Int(line, radix: 16) else { throw ClientFailure.malformed(line) }
            let chunk = try exactly(size + 2)
            if size == 0 { return body }
            body += chunk.dropLast(2)
        }
    }

    private func upTo(_ mark: [UInt8]) throws -> [UInt8] {
        while true {
            let end = buffer.withLock { buffer in
                buffer.indices.first { buffer[$0...].starts(with: mark) }
            }
            if let end, let taken = take(count: end + mark.count) { return taken }
            guard try fill() else { throw ClientFailure.ended(afterBytes: held) }
        }
    }

    private func exactly(_ count: Int) throws -> [UInt8] {
        while held < count {
            guard try fill() else { throw ClientFailure.ended(afterBytes: held) }
        }
        return take(count: count) ?? []
    }

    private var held: Int { buffer.withLock { $0.count } }

    private func take(count: Int) -> [UInt8]? {
        buffer.withLock { buffer in
            let taken = Array(buffer.prefix(count))
            buffer.removeFirst(taken.count)
            return taken
        }
    }

    /// False at the end of the stream.
    private func fill() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        let failure = errno
        if count == 0 { return false }
        guard count > 0 else {
            throw failure == EAGAIN ? ClientFailure.timedOut(afterBytes: held) : .reset(failure)
        }
        buffer.withLock { $0 += chunk[..<count] }
        return true
    }
}

/// Runs blocking client code on a thread of its own, away from the servers under test.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await clientThreads.runIfActive(body)
}

private let clientThreads: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 96)
    pool.start()
    return pool
}()
