import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit
import Outbound
import Spawning
import Testing

/// Pages and incidents of a real `oakum up` while its wall clock is set, and while its disk is full.
@Suite(.serialized, .tags(.realProcess), .timeLimit(.minutes(5)))
struct ResponseHardTimesTests {
    // MARK: - Clocks

    /// A policy of two steps, the second due after so many seconds, into files.
    private func twoSteps(_ folder: TemporaryFolder, seconds: Int) -> TestConfiguration {
        var configuration = TestConfiguration()
        configuration.workers = 1
        configuration.more = """
            intake: {listen: "127.0.0.1:0"}
            channels:
              - {name: first, file: {path: "\(folder.file("first.jsonl"))"}}
              - {name: second, file: {path: "\(folder.file("second.jsonl"))"}}
            policies:
              - {name: default, steps: [{notify: [channel first]}, {after: \(seconds)s, notify: [channel second]}]}
            """
        return configuration
    }

    @Test func `a wall clock that is set an hour forward or two hours back moves no step, and loses none`() async throws
    {
        try await withTemporaryFolder { folder in
            var configuration = twoSteps(folder, seconds: 3)
            let wall = try await WallClock(folder)
            configuration.environment = wall.environment
            try await withOakum(configuration, in: folder) { oakum in
                let intake = try await oakum.intake()
                let worker = try #require(try await oakum.allServing(1).first?.process)
                for (number, offset) in [3_600, -3_600].enumerated() {
                    let incident = try await tell(intake, "step \(number)", dedup: "\(number)")
                    let begin = ContinuousClock.now
                    let first = try await page(of: incident, in: folder.file("first.jsonl"))
                    try wall.set(offset)
                    let second = try await page(of: incident, in: folder.file("second.jsonl"))
                    let passed = begin.duration(to: .now)
                    #expect(passed >= .seconds(2.9) && passed < .seconds(20), "\(passed) after a step of \(offset) s")
                    // The wall clock did jump: an hour forward from nothing, then two hours back.
                    let jump = try time(second) - time(first)
                    #expect(abs(jump - Double(number == 0 ? 3_600 : -7_200)) < 60, "\(jump)")
                    #expect(first.data.kind == .opened && second.data.kind == .escalated)
                }
                // Killed with a clock that is wrong, and back with another.
                let incident = try await tell(intake, "over a restart", dedup: "restart")
                _ = try await page(of: incident, in: folder.file("first.jsonl"))
                kill(oakum.process.pid, SIGKILL)
                _ = try await oakum.process.waitForExit()
                try wall.set(86_400)
                try await withOakum(configuration, in: folder, keepingWorkers: true) { next in
                    let report = try await next.incident(incident, "the second step after the restart") {
                        $0.deliveries.contains { $0.page.channel == "second" && $0.state == .delivered }
                    }
                    #expect(report.deliveries.count == 2)
                    #expect(try await next.allServing(1).first?.process == worker)
                    #expect(next.complaints.isEmpty, "\(next.complaints)")
                }
            }
            for file in ["first.jsonl", "second.jsonl"] {
                // Killed after it was written and before that was recorded, a page comes again, with its id.
                let pages = try SeenPage.all(in: folder.file(file))
                #expect(Set(pages.map(\.data.id)).count == 3 && pages.count <= 4)
                #expect(Set(pages.compactMap(\.data.incident)) == [1, 2, 3])
            }
        }
    }

    private func page(of incident: Int64, in file: String) async throws -> SeenPage {
        try await eventually("a page of #\(incident) in \(file)") {
            try SeenPage.all(in: file).first { $0.data.incident == incident }
        }
    }

    private func time(_ page: SeenPage) throws -> Double {
        try Date(page.timestamp, strategy: .iso8601).timeIntervalSince1970
    }

    // MARK: - Disks

    @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs root"))
    func `a full disk turns alerts away with 503, loses none that was taken, and is over when there is room`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let receiver = try HTTPReceiver { _ in .status(204) }
            defer { receiver.stop() }
            var configuration = TestConfiguration()
            configuration.workers = 1
            configuration.arguments[1] = folder.file("registrar.sqlite")
            configuration.more = """
                intake: {listen: "127.0.0.1:0"}
                network: {allow: [127.0.0.1]}
                channels: [{name: hook, webhook: {url: "\(receiver.url)/"}}]
                """
            try FileManager.default.createDirectory(atPath: folder.file("s"), withIntermediateDirectories: false)
            try await withSmallDisk(kibibytes: 12_288, at: folder.file("s")) { disk in
                var taken: [Int64] = []
                try await withOakum(configuration, in: folder, keepingWorkers: true) { oakum in
                    let intake = try await oakum.intake()
                    _ = try await oakum.allServing(1)
                    taken.append(try await tell(intake, "before", dedup: "before"))
                    try disk.fill()
                    let refused = try await fillUp(intake, &taken)
                    // Again and again, as its sender would: still nothing of it is taken.
                    for _ in 0..<3 { #expect(try await told(intake, "refused", dedup: refused).status == 503) }
                    await #expect(throws: ControlError.self) {
                        try await oakum.incidents.act(.note(taken[0], String(repeating: "n", count: 4_000)), by: "ada")
                    }
                    // Dying now loses nothing that was taken.
                    kill(oakum.process.pid, SIGKILL)
                    _ = try await oakum.process.waitForExit()
                }
                disk.makeRoom()
                try await withOakum(configuration, in: folder) { oakum in
                    let intake = try await oakum.intake()
                    taken.append(try await tell(intake, "after", dedup: "after"))
                    try disk.fill()
                    let refused = try await fillUp(intake, &taken)
                    disk.makeRoom()
                    let last = try await eventually("it to be taken when there is room", within: .seconds(10)) {
                        let answer = try await told(intake, "refused", dedup: refused)
                        return answer.status == 200 ? try await tell(intake, "refused", dedup: refused) : nil
                    }
                    taken.append(last)
                    for id in taken {
                        _ = try await oakum.incident(id, "the page of #\(id)") { report in
                            report.deliveries.contains { $0.state == .delivered }
                        }
                    }
                    let all = try await oakum.incidents.incidents(IncidentQuery(limit: 200))
                    #expect(all.map(\.id).sorted() == taken.sorted())
                    _ = try await oakum.overview("all is well again") { $0.oakum.problems.isEmpty }
                }
                let pages = try receiver.requests.messages.map { try SeenPage($0.body) }
                #expect(Set(pages.compactMap(\.data.incident)) == Set(taken))
            }
        }
    }

    /// Tells alerts until one is turned away: what SQLite has room for in its own pages is still taken. Returns that one's key.
    private func fillUp(_ intake: String, _ taken: inout [Int64]) async throws -> String {
        for number in 0..<150 {
            let key = "full \(taken.count) \(number)"
            let answer = try await told(intake, String(repeating: "x", count: 900), dedup: key)
            guard answer.status == 200 else {
                #expect(answer.status == 503)
                #expect(Int(answer.header("Retry-After") ?? "") ?? 0 > 0)
                return key
            }
            let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
            taken.append(try #require((object?["AlertID"] as? NSNumber)?.int64Value))
        }
        throw TestKitError("150 alerts were taken on a full disk")
    }
}

/// A wall clock for a process, to be set while it runs. (libfaketime hides the arguments of a Swift program from it.)
private struct WallClock {
    private let file: String
    let environment: [String: String]

    init(_ folder: TemporaryFolder) async throws {
        file = folder.file("wall")
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "Programs/wall_clock.c").path
        let library = folder.file("wall_clock.so")
        environment = ["LD_PRELOAD": library, "WALL_OFFSET": file]
        let script = """
            swift=$(readlink -f "$(command -v swift)")
            "${swift%/*}/clang" -O1 -Wall -Werror -shared -fPIC \(source) -o \(library)
            """
        try await withProcess("/bin/sh", ["-c", script]) { process in
            let exit = try await process.waitForExit(within: .seconds(60))
            try #require(exit == .code(0), "\(process.output())")
        }
        try set(0)
    }

    /// Sets it so many seconds off the true time.
    func set(_ seconds: Int) throws {
        let bytes = withUnsafeBytes(of: Int64(seconds)) { Array($0) }
        let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestKitError("cannot open \(file)") }
        defer { close(descriptor) }
        // In place, at once: the process looks at the same page.
        guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else { throw TestKitError("cannot set it") }
    }
}
