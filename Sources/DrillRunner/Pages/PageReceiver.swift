import Dispatch
import Foundation
import Glibc
import OakumModel
import Synchronization

/// A webhook of the drill's own on loopback: what a person on call would get, and when.
///
/// One thread, one request at a time: a drill sends a handful. Answers 200 to what it understands and 400 to the rest.
final class PageReceiver: Sendable {
    /// A page as it arrived.
    struct Arrival: Sendable {
        var at: Uptime
        var page: ReceivedPage
    }

    /// The most that are kept; further ones are answered and counted no more.
    private static let limit = 1_000
    private static let maximumBytes = 256 << 10

    let port: Int
    private let listener: Int32
    private let arrivals = Mutex<[Arrival]>([])
    private let isOpen = Mutex(true)
    private let news: AsyncStream<Arrival>.Continuation
    /// Each page as it arrives. One reader.
    let pages: AsyncStream<Arrival>

    /// Listens on a port of the kernel's choice.
    init() throws(DrillError) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard listener >= 0, bound else {
            let reason = String(cString: strerror(errno))
            if listener >= 0 { close(listener) }
            throw .couldNotRun("no port for the drill's own webhook: \(reason)")
        }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        (pages, news) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.limit))
        DispatchQueue(label: "drill-pages").async { self.serve() }
    }

    deinit {
        shut()
    }

    var all: [Arrival] { arrivals.withLock { $0 } }

    /// Ends it; the thread ends with the next accept.
    func shut() {
        let wasOpen = isOpen.withLock { open in
            defer { open = false }
            return open
        }
        guard wasOpen else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        news.finish()
    }

    private func serve() {
        while isOpen.withLock({ $0 }) {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            answer(connection)
            close(connection)
        }
        close(listener)
    }

    private func answer(_ connection: Int32) {
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let body = readBody(connection)
        let page = body.flatMap { try? JSONDecoder().decode(ReceivedPage.self, from: $0) }  // Nil is answered with 400.
        if let page {
            let arrival = Arrival(at: uptimeNow(), page: page)
            let isKept = arrivals.withLock { arrivals in
                // A repetition of a page is the same page.
                guard arrivals.count < Self.limit, !arrivals.contains(where: { $0.page.data.id == page.data.id }) else {
                    return false
                }
                arrivals.append(arrival)
                return true
            }
            if isKept { news.yield(arrival) }
        }
        let status = page == nil ? "400 Bad Request" : "200 OK"
        let text = "HTTP/1.1 \(status)\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
        _ = text.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }

    /// The body of one request with a Content-Length; nil when it is none, or too long.
    private func readBody(_ connection: Int32) -> Data? {
        var received = Data()
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while received.count <= Self.maximumBytes {
            if let head = received.range(of: Data("\r\n\r\n".utf8)) {
                let fields = String(decoding: received[..<head.lowerBound], as: UTF8.self).lowercased()
                guard let field = fields.split(separator: "\r\n").first(where: { $0.hasPrefix("content-length:") }),
                    let length = Int(field.dropFirst(15).trimmingCharacters(in: .whitespaces)),
                    length <= Self.maximumBytes
                else { return nil }
                if received.count - head.upperBound >= length {
                    return received[head.upperBound..<head.upperBound + length]
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            received.append(contentsOf: buffer[..<count])
        }
        return nil
    }
}

/// What a webhook of Oakum holds, as far as a drill reads it.
struct ReceivedPage: Hashable, Sendable, Decodable {
    struct Content: Hashable, Sendable, Decodable {
        var id: String
        var kind: PageKind
        var incident: Int64?
        var title: String
        var lines: [String]
        var facts: [PageFact]
    }

    var type: String
    var data: Content

    /// To the business: users are served as before.
    var saysRestored: Bool { data.title.contains("; restored ") }

    func fact(_ name: String) -> String? {
        data.facts.first { $0.name == name }?.value
    }
}
