import Foundation
import OakumTestKit
import Spawning
import Testing

/// `oakum load` as a user meets it, against a server of the test's own.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct LoadCommandTests {
    private static let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    /// Serves until the peer leaves; the answer is made from the request's head.
    private func server(_ answer: @escaping @Sendable (String) -> String?) throws -> SocketServer {
        try SocketServer { connection in
            while let head = connection.read(through: "\r\n\r\n") {
                guard let text = answer(String(decoding: head, as: UTF8.self)), connection.write(text) else { return }
            }
        }
    }

    private func load(_ arguments: [String]) async throws -> (exit: ChildProcess.Exit, output: String) {
        try await withProcess(try builtExecutable("oakum"), ["load"] + arguments) { process in
            let exit = try await process.waitForExit(within: .seconds(120))
            return (exit, process.output())
        }
    }

    @Test func `a service is loaded and every report is written`() async throws {
        let server = try server { _ in Self.ok }
        defer { server.stop() }
        try await withTemporaryFolder { folder in
            let address = "http://127.0.0.1:\(server.port)/x"
            let (exit, output) = try await load([
                address, "--connections", "2", "--requests", "2000", "--memory-of", "\(getpid())", "--threshold",
                "p50 < 10s", "--threshold", "memory < 1000GiB", "--threshold", "errors < 0.1%", "--html",
                folder.file("r.html"), "--junit", folder.file("r.xml"), "--json",
            ])
            // A machine too busy to tell is a possible answer; a crossed threshold is not.
            #expect([.code(0), .code(3)].contains(exit), "\(output)")
            let start = try #require(output.firstIndex(of: "{"))
            let object = try JSONSerialization.jsonObject(with: Data(output[start...].utf8)) as? [String: Any]
            let report = try #require(object?["report"] as? [String: Any])
            #expect(report["requests"] as? Int == 2_000)
            #expect(report["failed"] as? Int == 0)
            #expect(object?["memory"] != nil)
            #expect(try String(contentsOfFile: folder.file("r.html"), encoding: .utf8).contains("<svg"))
            #expect(try String(contentsOfFile: folder.file("r.xml"), encoding: .utf8).contains("<testsuites"))
        }
    }

    @Test func `a crossed threshold is exit code 1`() async throws {
        let server = try server { _ in "HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n" }
        defer { server.stop() }
        let (exit, output) = try await load([
            "http://127.0.0.1:\(server.port)", "--connections", "1", "--requests", "300", "--threshold", "errors < 1%",
        ])
        #expect(exit == .code(1), "\(output)")
        #expect(output.contains("crossed   errors < 1%: 100.000 %"), "\(output)")
        #expect(output.contains("300 http_5xx"))
    }

    @Test func `too few answers are no evidence, and none is nothing measured`() async throws {
        let server = try server { _ in Self.ok }
        let few = try await load(["127.0.0.1:\(server.port)", "--connections", "1", "--requests", "5"])
        #expect(few.exit == .code(3), "\(few.output)")
        #expect(few.output.contains("5 answers are too few"))
        server.stop()
        let none = try await load(["127.0.0.1:\(server.port)", "--connections", "1", "--requests", "5"])
        #expect(none.exit == .code(4), "\(none.output)")
        #expect(none.output.contains("5 refused"))
    }

    @Test func `a scenario with an OpenAPI document and one with a log are sent`() async throws {
        let server = try server { head in head.contains(" /v1/") ? Self.ok : nil }
        defer { server.stop() }
        try await withTemporaryFolder { folder in
            let scenario = """
                name: two steps
                load: {users: 2, for: 1h}
                limit: 100
                flows:
                  - requests:
                      - {get: "/v1/a?${fresh}", extract: {size: {header: content-length}}}
                      - {get: "/v1/b/${size}", name: second}
                """
            try scenario.write(toFile: folder.file("s.yaml"), atomically: true, encoding: .utf8)
            let (exit, output) = try await load([
                folder.file("s.yaml"), "--target", "http://127.0.0.1:\(server.port)", "--threshold", "errors < 1",
            ])
            #expect([.code(0), .code(3)].contains(exit), "\(output)")
            #expect(output.contains("200 requests"), "\(output)")
            let document = """
                {"openapi": "3.0.3", "paths": {"/v1/c/{id}": {"parameters": [{"name": "id", "in": "path",
                 "required": true, "schema": {"type": "string"}}], "get": {"responses": {"200": {}}}, "delete": {}}}}
                """
            try document.write(toFile: folder.file("o.json"), atomically: true, encoding: .utf8)
            let line = "h - - [t] \"GET /v1/d/7 HTTP/1.1\" 200 1\n"
            try line.write(toFile: folder.file("a.log"), atomically: true, encoding: .utf8)
            for (option, file, name) in [
                ("--from-openapi", "o.json", "GET /v1/c/{id}"), ("--from-access-log", "a.log", "GET /v1/d/{id}"),
            ] {
                let (exit, output) = try await load([
                    "http://127.0.0.1:\(server.port)", option, folder.file(file), "--connections", "1", "--requests",
                    "150",
                ])
                #expect([.code(0), .code(3)].contains(exit), "\(output)")
                #expect(output.contains(name), "\(output)")
                #expect(output.contains("150 requests"), "\(output)")
            }
        }
    }

    @Test func `Ctrl-C ends a long run with a report`() async throws {
        let server = try server { _ in Self.ok }
        defer { server.stop() }
        try await withProcess(
            try builtExecutable("oakum"), ["load", "127.0.0.1:\(server.port)", "--rate", "50", "--duration", "1h"]
        ) { process in
            _ = try await process.line(containing: "requests, none failed")
            process.send(SIGINT)
            #expect(try await process.waitForExit(within: .seconds(60)) == .code(130))
            #expect(process.output().contains("ended before its time"))
            #expect(process.output().contains("open loop, 50/s"))
        }
    }

    @Test(arguments: [
        (["nothing.yaml"], "nothing.yaml cannot be read"),
        (["https://a"], "TLS is not spoken here"),
        (["127.0.0.1:1", "--rate", "fast"], "--rate takes a rate"),
        (["127.0.0.1:1", "--threshold", "quick"], "has no < or >"),
        (["127.0.0.1:1", "--threshold", "memory < 1MiB"], "--memory-of"),
        (["127.0.0.1:1", "--memory-of", "999999999"], "no process 999999999"),
        (["127.0.0.1:1", "--duration", "long"], "--duration takes a time"),
        (["no.such.host.invalid:80"], "cannot be resolved"),
        (["127.0.0.1:1", "--from-access-log", "/nowhere"], "/nowhere cannot be read"),
    ])
    func `what cannot be set up is exit code 5 with what to do`(arguments: [String], expected: String) async throws {
        let (exit, output) = try await load(arguments)
        #expect(exit == .code(5), "\(output)")
        #expect(output.contains(expected), "\(output)")
    }
}
