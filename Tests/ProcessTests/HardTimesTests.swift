import Foundation
import OakumAPI
import OakumModel
import OakumTestKit
import Outbound
import Testing

/// Full disks, slow clients and bodies that are far too large, through a running `oakum up`.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(10)))
struct HardTimesTests {
    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"))
    func `a full disk under the state folder is told of, harms no request, and costs no event`() async throws {
        try await withTemporaryFolder { folder in
            var configuration = TestConfiguration()
            // The service's own database lies on another disk.
            configuration.arguments[1] = folder.file("registrar.sqlite")
            try FileManager.default.createDirectory(atPath: folder.file("s"), withIntermediateDirectories: false)
            try await withSmallDisk(kibibytes: 8_192, at: folder.file("s")) { disk in
                try await withOakum(configuration, in: folder) { oakum in
                    let victim = try #require(try await oakum.allServing().first?.process)
                    try disk.fill()
                    // SQLite may still have room in pages it has already: killing makes news until it has not.
                    kill(victim.pid, SIGKILL)
                    let troubled = try await oakum.overview("the trouble is told") {
                        !$0.oakum.problems.isEmpty
                    }
                    #expect(troubled.oakum.problems.contains { $0.contains("disk") || $0.contains("room") })
                    try await incidentsCannotBeStored(oakum)
                    let second = try #require(try await oakum.allServing().last?.process)
                    kill(second.pid, SIGKILL)
                    _ = try await oakum.allServing()
                    let answer = try await request("POST", oakum.service + "/v1/signup", json: signUp(1))
                    #expect(answer.status == 202)
                    disk.makeRoom()
                    _ = try await oakum.event("the first death") { $0.kind == .workerExited && $0.process == victim }
                    _ = try await oakum.event("the second death") { $0.kind == .workerExited && $0.process == second }
                    _ = try await oakum.overview("all is well again") { $0.oakum.problems.isEmpty }
                }
            }
        }
    }

    /// Opens incidents by hand until there is no room for one more: whoever asks hears it, and `oakum status` tells what to do.
    private func incidentsCannotBeStored(_ oakum: OakumUnderTest) async throws {
        try await eventually("an incident is refused") {
            let details = String(repeating: "no room left ", count: 100)
            let words = ["incidents", "open", "the disk is full", "--details", details, "--state", oakum.state]
            return try await run("oakum", words).code != 0
        }
        _ = try await oakum.overview("the incidents' trouble is told") { overview in
            overview.oakum.problems.contains {
                $0.hasPrefix("paging: ") && $0.contains("nobody is paged") && $0.contains("Make room")
            }
        }
        let shown = try await run("oakum", ["status", "--state", oakum.state])
        #expect(shown.output.contains("PROBLEM: paging: incidents cannot be stored"), "\(shown.output)")
    }

    @Test(.disabled(if: Sanitizer.isOn, "an instrumented process holds memory of its own"))
    func `a body of 10 MB is refused, and leaves no memory behind`() async throws {
        try await withOakum { oakum in
            let before = try await oakum.allServing().compactMap(\.latest?.rss).max()
            let body = "{\"email\":\"" + String(repeating: "a", count: 10_000_000) + "\"}"
            for _ in 0..<20 {
                // The refusal may come while the body is still on its way, and then the connection ends.
                let status = try? await request("POST", oakum.service + "/v1/signup", json: body).status
                #expect(status == nil || status == 413)
            }
            let announced =
                "POST /v1/signup HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n"
            let waiting = try stall(announced, at: oakum.service)
            defer { close(waiting) }
            #expect(firstBytes(from: waiting).contains(" 413 "))
            let after = try await oakum.allServing()
            #expect(after.map(\.number) == [1, 2])
            let grown = try #require(after.compactMap(\.latest?.rss).max()).bytes - (before?.bytes ?? 0)
            #expect(grown < 20_000_000)
            #expect(try await request("POST", oakum.service + "/v1/signup", json: signUp(2)).status == 202)
        }
    }

    @Test func `clients that never finish a request hold up neither others nor a recycle`() async throws {
        var configuration = TestConfiguration()
        configuration.recycle = "{minimum_interval: 0s, at_most_per_hour: 3600, drain_deadline: 2s}"
        try await withOakum(configuration) { oakum in
            _ = try await oakum.allServing()
            let unfinished = [
                "POST /v1/sig", "GET /healthz HTTP/1.1\r\nHost: a\r\n",
                "POST /v1/signup HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{\"email\":",
            ]
            let slow = try (0..<90).map { try stall(unfinished[$0 % 3], at: oakum.service) }
            let console = try (0..<30).map { try stall(unfinished[$0 % 3], at: oakum.console) }
            defer { for descriptor in slow + console { close(descriptor) } }
            for number in 0..<10 {
                #expect(try await request("POST", oakum.service + "/v1/signup", json: signUp(number)).status == 202)
            }
            #expect(try await request("GET", oakum.console + "/").status == 200)
            let recycle = try await run("oakum", ["recycle", "registrar", "--state", oakum.state])
            #expect(recycle.code == 0, "\(recycle.output)")
            _ = try await oakum.overview("both are replaced and gone") { overview in
                overview.services[0].workers.map(\.number).sorted() == [3, 4]
                    && overview.services[0].workers.allSatisfy { $0.phase == .serving }
            }
            #expect(try await request("POST", oakum.service + "/v1/signup", json: signUp(11)).status == 202)
        }
    }

    /// What the other side says first; empty when it hangs up or says nothing for ten seconds.
    private func firstBytes(from descriptor: Int32) -> String {
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
