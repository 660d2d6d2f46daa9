import Foundation
import OakumTestKit
import Outbound
import Testing

/// Jobs that say "I live" through the door, to a running `oakum up`.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(5)))
struct HeartbeatTests {
    private struct Shown: Decodable {
        var state: String
        var kind: String
        var title: String
    }

    private func incidents(_ oakum: OakumUnderTest) async throws -> [Shown] {
        let result = try await run("oakum", ["incidents", "list", "--all", "--json", "--state", oakum.state])
        #expect(result.code == 0, "\(result.output)")
        return try JSONDecoder().decode([Shown].self, from: Data(result.output.utf8))
    }

    @Test func `a job that falls silent is an incident, and its sign of life ends it`() async throws {
        try await withTemporaryFolder { folder in
            let id = "0123456789abcdef"
            let file = folder.file("backup")
            try id.write(toFile: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            var configuration = TestConfiguration()
            configuration.more =
                "heartbeats: [{name: nightly backup, id_file: backup, every: 10s, service: registrar}]"
                + "\nintake: {listen: \"127.0.0.1:0\"}"
            try await withOakum(configuration, in: folder) { oakum in
                let line = try await oakum.process.line(containing: "intake: ", within: .seconds(60))
                let door = String(line.dropFirst("intake: ".count)) + "/heartbeat/"
                #expect(try await request("GET", door + id).status == 204)
                #expect(try await request("GET", oakum.console + "/heartbeat/" + id).status == 204)
                #expect(try await request("GET", door + "0123456789abcdee").status == 404)
                let missed = try await eventually("it is missed") { try await incidents(oakum).first }
                #expect(missed.state == "open" && missed.kind == "no_data")
                #expect(missed.title.contains("no sign of life from nightly backup"), "\(missed.title)")
                #expect(try await request("POST", door + id).status == 204)
                try await eventually("it is over", holds: { try await incidents(oakum).first?.state == "resolved" })
                #expect(!oakum.process.output().contains(id))
            }
        }
    }
}
