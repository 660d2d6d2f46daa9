import Foundation
import Outbound
import Testing

@Suite(.timeLimit(.minutes(10)))
struct OutboundTests {
    let client = OutboundClient(maxConcurrent: 8)

    private func error(_ request: OutboundRequest) async -> OutboundError? {
        do {
            _ = try await client.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test func `an answer comes with its status, headers and body`() async throws {
        let server = try OutboundServer { _ in
            OutboundServer.answer("hello", status: "418 Teapot", headers: "X-Kind:  brown \r\nX-Kind: green\r\n")
        }
        defer { server.stop() }
        let response = try await client.send(.init(target: .url("\(server.url)/a?b=c")))
        #expect(response.status == 418)
        #expect(String(decoding: response.body, as: UTF8.self) == "hello")
        #expect(response.headers.filter { $0.0 == "X-Kind" }.map(\.1) == ["brown", "green"])
        #expect(response.header("x-kind") == "brown")
        #expect(server.requests.first?.hasPrefix("GET /a?b=c HTTP/1.1\r\n") == true)
    }

    @Test func `a body and headers arrive as given, without inventions`() async throws {
        let server = try OutboundServer { _ in OutboundServer.answer("") }
        defer { server.stop() }
        let body = String(repeating: "x", count: 5000)
        _ = try await client.send(
            .init(
                method: "POST", target: .url(server.url), headers: [("X-Token", "abc"), ("X-Empty", "")],
                body: Array(body.utf8)))
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("POST / HTTP/1.1\r\n"))
        #expect(request.contains("\r\nX-Token: abc\r\n"))
        #expect(request.contains("\r\nX-Empty:\r\n"))
        #expect(request.contains("\r\nContent-Length: 5000\r\n"))
        #expect(!request.lowercased().contains("expect:"))
        #expect(!request.lowercased().contains("content-type:"))
        #expect(request.hasSuffix(body))
    }

    @Test(arguments: ["GET", "HEAD", "DELETE", "POST", "PUT"])
    func `methods are sent as they are, with an empty body too`(method: String) async throws {
        let server = try OutboundServer { _ in .bytes("HTTP/1.1 204 No Content\r\n\r\n") }
        defer { server.stop() }
        let response = try await client.send(.init(method: method, target: .url(server.url)))
        #expect(response.status == 204)
        #expect(server.requests.first?.hasPrefix("\(method) / ") == true)
    }

    @Test func `a Unix socket is spoken to, on a fresh connection each time`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let server = try OutboundServer(.unix(path)) { _ in OutboundServer.answer("unix") }
        defer { server.stop() }
        for _ in 0..<3 {
            let response = try await client.send(
                .init(target: .unixSocket(path: path, requestTarget: "/../metrics?x=1")))
            #expect(String(decoding: response.body, as: UTF8.self) == "unix")
        }
        #expect(server.requests.allSatisfy { $0.hasPrefix("GET /../metrics?x=1 HTTP/1.1\r\nHost: localhost\r\n") })
        #expect(server.connections == 3)
    }

    @Test func `redirects are answers`() async throws {
        let server = try OutboundServer { _ in
            OutboundServer.answer("", status: "302 Found", headers: "Location: http://127.0.0.1:1/\r\n")
        }
        defer { server.stop() }
        let response = try await client.send(.init(target: .url(server.url)))
        #expect(response.status == 302)
        #expect(response.header("Location") == "http://127.0.0.1:1/")
    }

    @Test func `nobody there is told apart, with the socket's path`() async throws {
        let folder = try TemporaryFolder()
        let missing = folder.path + "/none"
        let absent = await error(.init(target: .unixSocket(path: missing, requestTarget: "/")))
        #expect(absent == .cannotConnect("cannot connect to \(missing): No such file or directory"))
        let server = try OutboundServer { _ in .silence }
        server.stop()
        let refused = await error(.init(target: .url(server.url)))
        #expect(refused == .cannotConnect("cannot connect to 127.0.0.1:\(server.port): Connection refused"))
    }

    @Test func `silence ends at the timeout`() async throws {
        let server = try OutboundServer { _ in .silence }
        defer { server.stop() }
        let start = ContinuousClock.now
        let outcome = await error(.init(target: .url(server.url + "/secret"), timeoutSeconds: 0.2))
        #expect(outcome == .timedOut("no complete answer from 127.0.0.1:\(server.port) within 0.2 s"))
        #expect(ContinuousClock.now - start >= .milliseconds(190))
    }

    @Test func `endless bodies and endless headers are cut`() async throws {
        let bodies = try OutboundServer { _ in
            .flood("HTTP/1.1 200 OK\r\n\r\n", then: String(repeating: "y", count: 10_000))
        }
        defer { bodies.stop() }
        let long = await error(.init(target: .url(bodies.url), maxResponseBytes: 30_000))
        #expect(long == .tooLarge("127.0.0.1:\(bodies.port) answered with more than 30000 bytes"))
        let heads = try OutboundServer { _ in
            .flood("HTTP/1.1 200 OK\r\n", then: "X: " + String(repeating: "z", count: 5000) + "\r\n")
        }
        defer { heads.stop() }
        let head = await error(.init(target: .url(heads.url), maxResponseBytes: 30_000))
        guard case .tooLarge = head else {
            Issue.record("expected tooLarge, got \(String(describing: head))")
            return
        }
    }

    @Test func `garbage for an answer is a failure`() async throws {
        let server = try OutboundServer { _ in .bytes("\u{1}\u{2}\u{3}nonsense\r\n\r\n\r\n") }
        defer { server.stop() }
        let outcome = await error(.init(target: .url(server.url), timeoutSeconds: 2))
        guard case .failed(let text) = outcome else {
            Issue.record("expected failed, got \(String(describing: outcome))")
            return
        }
        #expect(text.contains("127.0.0.1:\(server.port)"))
    }

    @Test func `what could smuggle or leak is refused, and secrets stay out of the texts`() async throws {
        let url = "http://user:hunter2@127.0.0.1:1/hook/T0PSECRET?key=T0PSECRET"
        var texts: [OutboundError?] = []
        texts.append(await error(.init(target: .url(url))))
        texts.append(await error(.init(method: "GET /x", target: .url(url))))
        texts.append(await error(.init(target: .url(url), headers: [("A", "b\r\nC: T0PSECRET")])))
        texts.append(await error(.init(target: .url(url), headers: [("A B", "T0PSECRET")])))
        texts.append(await error(.init(target: .url("file:///etc/passwd"))))
        texts.append(await error(.init(target: .url("http://"))))
        texts.append(await error(.init(target: .unixSocket(path: "/tmp/x", requestTarget: "/a b"))))
        texts.append(
            await error(.init(target: .unixSocket(path: String(repeating: "p", count: 108), requestTarget: "/"))))
        #expect(texts.allSatisfy { $0 != nil })
        for text in texts {
            #expect(!"\(String(describing: text))".contains("T0PSECRET"))
            #expect(!"\(String(describing: text))".contains("hunter2"))
        }
    }
}

/// A folder of its own, with a name short enough for a socket's path; removed at the end.
private final class TemporaryFolder: Sendable {
    let path = "/tmp/oakum-outbound-\(UInt32.random(in: 0...UInt32.max))"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        // Best effort: a leftover folder in /tmp harms no other test.
        try? FileManager.default.removeItem(atPath: path)
    }
}
