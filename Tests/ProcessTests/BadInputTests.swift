import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit
import Outbound
import Testing

/// Bad input at the door: a clear error, and nothing breaks.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct BadInputTests {
    @Test(arguments: [
        ("services: [", "not YAML"),
        ("services:\n  - nam: x\n", "did you mean `name`?"),
        ("services:\n  - name: x\n    command: [/bin/true]\n    listen: 1\n    memory_budget: 1GiB\n", "line 4"),
        (
            "services:\n  - name: x\n    command: [/bin/true]\n    listen: 127.0.0.1:0\n    memory_budget: 256M\n",
            "such as 256MiB"
        ),
        (
            "services:\n  - name: x\n    command: [./no]\n    listen: 127.0.0.1:0\n    memory_budget: 1GiB\n",
            "there is no file"
        ),
        ("console: {listen: \"0.0.0.0:9\"}\nservices: []\n", "behind_proxy"),
    ])
    func `a bad configuration is told with line and hint, exit 2`(text: String, hint: String) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.file("oakum.yaml")
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let up = try await run("oakum", ["up", "-c", file])
            #expect(up.code == 2, "\(up.output)")
            #expect(up.output.contains(hint), "\(up.output)")
        }
    }

    @Test func `a missing configuration is told, exit 2`() async throws {
        let up = try await run("oakum", ["up", "-c", "/nowhere/oakum.yaml"])
        #expect(up.code == 2)
        #expect(up.output.contains("there is no such file"))
    }

    @Test func `commands without a running oakum say so, exit 3`() async throws {
        try await withTemporaryFolder { folder in
            for command in [["status"], ["recycle", "registrar"], ["pause"], ["down"]] {
                let result = try await run("oakum", command + ["--state", folder.file("s")])
                #expect(result.code == 3, "\(command): \(result.output)")
            }
        }
    }

    @Test func `a taken port is explained`() async throws {
        try await withListener { port in
            var configuration = TestConfiguration()
            configuration.listen = "127.0.0.1:\(port)"
            try await withTemporaryFolder { folder in
                defer { killEverything(naming: folder.path) }
                let file = folder.file("oakum.yaml")
                let yaml = try configuration.yaml(state: folder.file("s"))
                try yaml.write(toFile: file, atomically: true, encoding: .utf8)
                let up = try await run("oakum", ["up", "-c", file])
                #expect(up.code == 1)
                #expect(up.output.contains("\(port)"), "\(up.output)")
                #expect(up.output.contains("ss -ltnp"), "\(up.output)")
            }
        }
    }

    @Test func `a worker that dies at once is told of and started again with a growing wait`() async throws {
        var configuration = TestConfiguration()
        configuration.program = "/bin/false"
        configuration.arguments = []
        try await withOakum(configuration) { oakum in
            let event = try await oakum.event("the exit") { $0.kind == .workerExited }
            #expect(event.message.contains("exit code 1"))
            #expect(event.message.contains("started again in"))
            let events = try await oakum.plane.events(EventQuery(limit: 1_000))
            #expect(events.count < 60, "a crash loop does not flood the journal")
        }
    }

    @Test func `a worker that never becomes ready is told of`() async throws {
        var configuration = TestConfiguration()
        configuration.program = "/bin/sleep"
        configuration.arguments = ["1000"]
        configuration.health = "{ready_within: 1s}"
        try await withOakum(configuration) { oakum in
            let event = try await oakum.event("the delay") { $0.kind == .workerFailed }
            #expect(event.message.contains("not ready"))
        }
    }

    @Test func `garbage on every socket harms nobody`() async throws {
        try await withOakum { oakum in
            _ = try await oakum.allServing()
            var generator = SeededGenerator(seed: 7)
            let admin = try FileManager.default.contentsOfDirectory(atPath: oakum.state).filter {
                $0.hasSuffix(".sock")
            }
            #expect(admin.contains("oakum.sock") && admin.contains("keeper.sock") && admin.count >= 4)
            for round in 0..<20 {
                let bytes = round == 0 ? Array(repeating: UInt8(65), count: 10 << 20) : generator.bytes(4_096)
                for name in admin { pour(bytes, intoUnixSocket: oakum.state + "/" + name) }
                pour(bytes, intoAddress: oakum.service)
                pour(bytes, intoAddress: oakum.console)
            }
            let workers = try await oakum.allServing()
            #expect(workers.map(\.number) == [1, 2])
            let answer = try await request("GET", oakum.service + "/healthz")
            #expect(answer.status == 200)
            let exits = try await oakum.plane.events(EventQuery(limit: 1_000)).filter { $0.event.kind == .workerExited }
            let logs = oakum.state + "/logs"
            let said = try FileManager.default.contentsOfDirectory(atPath: logs).map {
                (try? String(contentsOfFile: "\(logs)/\($0)", encoding: .utf8)) ?? ""  // for the message alone
            }
            #expect(exits.isEmpty, "\(said)")
        }
    }
}
