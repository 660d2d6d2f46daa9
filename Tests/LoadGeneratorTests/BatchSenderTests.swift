import Glibc
import LoadGenerator
import OakumTestKit
import Synchronization
import Testing

/// Batches against real sockets on the loopback interface.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct BatchSenderTests {
    private let ping = RequestTemplate(name: "ping", path: TextTemplate(literal: "/"))

    private func sender(_ target: LoadTarget) throws -> BatchSender {
        try BatchSender(target: target, seed: 1, freshSalt: 99)
    }

    @Test func `every request is sent once over so many connections, which are kept`() async throws {
        let server = try await ScriptedServer { _ in .answer(ScriptedServer.ok) }
        let sender = try sender(LoadTarget(port: server.port))
        for batch in 1...3 {
            let outcome = try await sender.send(RequestBatch(requests: [ping], count: 500, connections: 4))
            #expect(outcome.sent == 500)
            #expect(outcome.ok == 500)
            #expect(outcome.failures == FailureCounts())
            #expect(outcome.statuses == [200: 500])
            #expect(outcome.connectionsKept == 4)
            #expect(outcome.connectionsOpened == (batch == 1 ? 4 : 0))
        }
        #expect(server.requests == 1_500)
        #expect(server.connections == 4)
        try await server.stop()
    }

    @Test func `connections are closed between batches when asked, and new for each request when asked`() async throws {
        let server = try await ScriptedServer { request in
            request.text.contains("connection: close") ? .answerAndClose(ScriptedServer.ok) : .answer(ScriptedServer.ok)
        }
        let sender = try sender(LoadTarget(port: server.port))
        var batch = RequestBatch(requests: [ping], count: 20, connections: 2, keepsConnections: false)
        for _ in 0..<2 {
            let outcome = try await sender.send(batch)
            #expect(outcome.connectionsOpened == 2)
            #expect(outcome.connectionsKept == 0)
        }
        #expect(server.connections == 4)
        batch.newConnectionEach = true
        let outcome = try await sender.send(batch)
        #expect(outcome.ok == 20)
        #expect(outcome.connectionsOpened == 20)
        try await server.stop()
    }

    @Test func `a kept connection that has ended since is not used again`() async throws {
        let server = try await ScriptedServer { _ in .answerAndClose(ScriptedServer.ok) }
        let sender = try sender(LoadTarget(port: server.port))
        for batch in 1...3 {
            let outcome = try await sender.send(RequestBatch(requests: [ping], count: 2, connections: 2))
            #expect(outcome.ok == 2, "\(outcome.notes)")
            #expect(outcome.connectionsOpened == 2)
            try await eventually("the server has closed") { server.closed == 2 * batch }
        }
        try await server.stop()
    }

    @Test func `a pool of keys repeats batch after batch, fresh keys never come back`() async throws {
        let seen = Mutex<[String]>([])
        let server = try await ScriptedServer { request in
            seen.withLock { $0.append(String(request.text.split(separator: " ")[1])) }
            return .answer(ScriptedServer.ok)
        }
        let sender = try sender(LoadTarget(port: server.port))
        let item = RequestTemplate(name: "item", path: try TextTemplate(dollars: "/i/${key}"))
        func paths(_ keys: KeySource) async throws -> [String] {
            seen.withLock { $0 = [] }
            let outcome = try await sender.send(RequestBatch(requests: [item], count: 30, keys: keys))
            #expect(outcome.ok == 30)
            return seen.withLock { $0 }
        }
        let first = try await paths(.pool(10))
        #expect(Set(first).count == 10)
        #expect(try await paths(.pool(10)) == first)
        let fresh = try await paths(.fresh) + paths(.fresh)
        #expect(Set(fresh).count == 60)
        #expect(Set(fresh).isDisjoint(with: first))
        #expect(Set((first + fresh).map(\.count)) == [3 + 16])
        try await server.stop()
    }

    @Test func `failures are told by kind and by endpoint`() async throws {
        let server = try await ScriptedServer { request in
            if request.text.hasPrefix("GET /gone") { return .answer(ScriptedServer.answer(404)) }
            if request.text.hasPrefix("GET /cut") { return .answerAndClose("") }
            return .answer(ScriptedServer.ok)
        }
        let sender = try sender(LoadTarget(port: server.port))
        let others = ["gone", "cut"].map { RequestTemplate(name: $0, path: TextTemplate(literal: "/\($0)")) }
        let outcome = try await sender.send(RequestBatch(requests: [ping] + others, count: 30, connections: 3))
        #expect(outcome.sent == 30)
        #expect(outcome.ok == 10)
        #expect(outcome.failures[.wrongAnswer] == 10)
        #expect(outcome.failures[.closedEarly] == 10)
        #expect(outcome.failures.failed == 20)
        #expect(outcome.endpoints.map(\.ok) == [10, 0, 0])
        #expect(outcome.endpoints.map(\.sent) == [10, 10, 10])
        #expect(outcome.statuses == [200: 10, 404: 10])
        #expect(server.requests == 30)
        try await server.stop()
    }

    @Test func `a Unix socket will do, and one that is not there is refused`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("s")
            let server = try await ScriptedServer(socketPath: path) { request in
                .answer(request.text.contains("host: localhost\r\n") ? ScriptedServer.ok : ScriptedServer.answer(400))
            }
            let outcome = try await sender(LoadTarget(socketPath: path)).send(
                RequestBatch(requests: [ping], count: 200, connections: 8))
            #expect(outcome.ok == 200, "\(outcome.notes)")
            try await server.stop()
            let nobody = try await sender(LoadTarget(socketPath: folder.file("t"))).send(
                RequestBatch(requests: [ping], count: 5))
            #expect(nobody.failures[.refused] == 5)
            #expect(nobody.ok == 0)
        }
    }

    @Test func `a full queue of a Unix socket is waited for, not taken for a refusal`() async throws {
        try await withTemporaryFolder { folder in
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(listener) }
            var place = sockaddr_un()
            place.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: folder.file("s").utf8) }
            let isBound = withUnsafePointer(to: &place) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(listener, 0) == 0
                }
            }
            #expect(isBound)
            let outcome = try await sender(LoadTarget(socketPath: folder.file("s"))).send(
                RequestBatch(requests: [ping], count: 4, connections: 4, timeoutSeconds: 0.2))
            #expect(outcome.failures[.timedOut] == 4, "\(outcome.failures)")
            #expect(outcome.notes.contains { $0.contains("no connection within the timeout") })
        }
    }

    @Test func `an answer that never comes is timed out, and the batch ends`() async throws {
        let server = try await ScriptedServer { request in
            request.overall == 3 ? .silence : .answer(ScriptedServer.ok)
        }
        let outcome = try await sender(LoadTarget(port: server.port)).send(
            RequestBatch(requests: [ping], count: 10, connections: 1, timeoutSeconds: 0.2))
        #expect(outcome.failures[.timedOut] == 1)
        #expect(outcome.ok == 9)
        try await server.stop()
    }

    @Test func `what one answer gives, later requests can use`() async throws {
        let server = try await ScriptedServer { request in
            if request.text.hasPrefix("POST") { return .answer(ScriptedServer.answer(201, #"{"list":[{"id":"x7"}]}"#)) }
            return .answer(ScriptedServer.answer(request.text.hasPrefix("GET /x7 ") ? 200 : 404))
        }
        let create = RequestTemplate(
            name: "create", method: "POST", path: TextTemplate(literal: "/"), body: .text(TextTemplate(literal: "{}")),
            capture: Capture(name: "id", jsonPath: "list.0.id"))
        let read = RequestTemplate(name: "read", path: try TextTemplate(dollars: "/${id}"))
        let sender = try sender(LoadTarget(port: server.port))
        let early = try await sender.send(RequestBatch(requests: [read], count: 2))
        #expect(early.failures[.notSent] == 2)
        #expect(early.sent == 0)
        let outcome = try await sender.send(RequestBatch(requests: [create, read], count: 10))
        #expect(outcome.ok == 10, "\(outcome.notes)")
        try await server.stop()
    }

    @Test func `an impossible batch is refused`() async throws {
        let sender = try sender(LoadTarget(port: 1))
        await #expect(throws: LoadError.invalidPlan("a batch without requests")) {
            try await sender.send(RequestBatch(requests: [], count: 1))
        }
        #expect(throws: LoadError.self) {
            try BatchSender(target: LoadTarget(host: "no such host.", port: 1), seed: 1, freshSalt: 1)
        }
    }

    @Test func `cancelling ends a batch at once`() async throws {
        let server = try await ScriptedServer { _ in .silence }
        let sender = try sender(LoadTarget(port: server.port))
        let ping = ping
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    _ = try await sender.send(RequestBatch(requests: [ping], count: 1, timeoutSeconds: 3_600))
                    return false
                } catch {
                    return error as? LoadError == .cancelled
                }
            }
            while server.requests < 1 { await Task.yield() }
            group.cancelAll()
            #expect(await group.next() == true)
        }
        try await server.stop()
    }
}
