import Glibc
import OakumTestKit
import Testing

@testable import LoadGenerator

/// Connections to a server that a test plays itself, byte by byte.
struct ClientSocketsTests {
    /// A listening Unix socket.
    private func listeningSocket(_ path: String) throws -> Int32 {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(listener, 1) == 0
            }
        }
        try #require(isBound)
        return listener
    }

    private func next(_ sockets: ClientSockets) throws -> SocketEvent.Kind {
        var events: [SocketEvent] = []
        for _ in 0..<20 where events.isEmpty { sockets.wait(nanoseconds: 1_000_000_000, into: &events) }
        return try #require(events.first).kind
    }

    @Test(arguments: [(10, true), (8 << 20, false)])
    func `a connection answered before it has sent its request whole is not used again`(
        bodyBytes: Int, isIdle: Bool
    ) async throws {
        try await withTemporaryFolder { folder in
            let listener = try listeningSocket(folder.file("s"))
            defer { close(listener) }
            let target = LoadTarget(socketPath: folder.file("s"))
            let body = TextTemplate(literal: String(repeating: "a", count: bodyBytes))
            let request = PreparedRequest(
                RequestTemplate(name: "a", method: "POST", path: TextTemplate(literal: "/"), body: .text(body)),
                hosts: [target.hostHeader])
            let sockets = try ClientSockets(addresses: [target.address()])
            let place = sockets.open(address: 0)
            guard case .connected = try next(sockets) else {
                Issue.record("not connected")
                return
            }
            let server = accept(listener, nil, nil)
            defer { close(server) }
            request.withConstant(0, isAlone: false) { sockets.send($0, place, for: request) }
            let answer = Array("HTTP/1.1 413 X\r\ncontent-length: 0\r\n\r\n".utf8)
            #expect(write(server, answer, answer.count) == answer.count)
            guard case .answered = try next(sockets) else {
                Issue.record("not answered")
                return
            }
            #expect(sockets.isIdle(place) == isIdle)
        }
    }
}
