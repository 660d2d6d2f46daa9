/// A receiver of HTTP requests that answers as its script says, in all the ways real ones do and should not.
package final class HTTPReceiver: Sendable {
    package struct Request: Sendable {
        package var method: String
        package var target: String
        package var headers: [(String, String)]
        package var body: [UInt8]

        package var text: String { String(decoding: body, as: UTF8.self) }

        package func header(_ name: String) -> String? {
            headers.first { $0.0.lowercased() == name.lowercased() }?.1
        }
    }

    package enum Answer: Sendable {
        case status(Int, headers: [String: String] = [:], body: String = "")
        /// The same, one byte a packet.
        case dribble(Int, body: String)
        /// Only once the gate is open.
        indirect case held(Gate, Answer)
        /// Never anything.
        case silence
        /// Promises a body that never comes.
        case hangAfterHead(Int)
        /// A body of so many bytes.
        case flood(Int, bytes: Int)
        /// Half a body, then a reset.
        case reset(Int)
        /// Half a body, then an orderly end.
        case cut(Int)
        /// These bytes, whatever they mean.
        case bytes(String)
    }

    package let requests: Inbox<Request>
    private let server: SocketServer

    /// - Parameter script: the answer to each request; called on the connection's thread after the request is recorded.
    package init(
        address: String = "127.0.0.1", script: @escaping @Sendable (Request) -> Answer
    ) throws {
        let requests = Inbox<Request> { request in
            ([request.method, request.target] + request.headers.map { "\($0.0): \($0.1)" } + [request.text])
                .joined(separator: "\n")
        }
        self.requests = requests
        server = try SocketServer(address: address) { connection in
            while let request = Self.read(connection) {
                requests.record(request)
                guard Self.give(script(request), connection) else { return }
            }
        }
    }

    deinit {
        server.stop()
    }

    package var port: UInt16 { server.port }
    package var url: String { "http://127.0.0.1:\(port)" }
    package var connections: Int { server.connections }

    package func stop() {
        server.stop()
    }

    private static func read(_ connection: SocketConnection) -> Request? {
        guard let head = connection.read(through: "\r\n\r\n") else { return nil }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        let headers = lines.dropFirst().map { line -> (String, String) in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1].drop { $0 == " " } : ""
            return (String(parts[0]), String(value))
        }
        var request = Request(method: String(words[0]), target: String(words[1]), headers: headers, body: [])
        let length = request.header("Content-Length").flatMap { Int($0) } ?? 0
        guard let body = connection.read(count: length) else { return nil }
        request.body = body
        return request
    }

    /// Whether the connection goes on.
    private static func give(_ answer: Answer, _ connection: SocketConnection) -> Bool {
        switch answer {
        case .status(let status, let headers, let body):
            return connection.write(head(status, length: body.utf8.count, headers) + body)
        case .dribble(let status, let body):
            return (head(status, length: body.utf8.count) + body).utf8.allSatisfy { connection.write([$0]) }
        case .held(let gate, let answer):
            gate.wait()
            return give(answer, connection)
        case .silence:
            connection.drain()
        case .hangAfterHead(let status):
            connection.write(head(status, length: 100))
            connection.drain()
        case .flood(let status, let bytes):
            guard connection.write(head(status, length: bytes)) else { return false }
            let chunk = [UInt8](repeating: UInt8(ascii: "y"), count: 65_536)
            var left = bytes
            while left > 0, connection.write(Array(chunk.prefix(left))) { left -= chunk.count }
            return left <= 0
        case .reset(let status):
            connection.write(head(status, length: 100) + "half")
            connection.reset()
        case .cut(let status):
            connection.write(head(status, length: 100) + "half")
        case .bytes(let text):
            connection.write(text)
        }
        return false
    }

    private static func head(_ status: Int, length: Int, _ headers: [String: String] = [:]) -> String {
        let lines = headers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
        // 204 and 304 have no body, and no length either (RFC 9110, section 8.6).
        let size = status == 204 || status == 304 ? "" : "Content-Length: \(length)\r\n"
        return "HTTP/1.1 \(status) Scripted\r\n\(size)\(lines)\r\n"
    }
}
