import Foundation
import LoadGenerator
import OakumAPI
import OakumModel
import OakumTestKit
import Spawning
import Synchronization

@testable import DrillRunner

/// Stands in for `oakum up`: a shell script that starts one plain process of the fixture on a known port and stops it
/// at SIGINT, and a control plane that says of it what a test wants said.
struct FakeOakum: Sendable {
    enum Manner: Sendable {
        case good
        /// Ends at once with a message.
        case dies
        /// Ignores SIGINT and SIGTERM; its worker stays too.
        case stubborn
    }

    let path: String
    let tools: DrillTools

    init(in folder: TemporaryFolder, _ manner: Manner = .good, journal: [(EventKind, Verdict?)] = []) throws {
        path = folder.file("fake-oakum")
        let port = try LoopbackPort.free()
        let leaker = try builtExecutable("fixture-leaker")
        let script =
            switch manner {
            case .good:
                """
                #!/bin/sh
                \(leaker) --listen 127.0.0.1:\(port) & child=$!
                trap 'kill -9 $child; exit 0' INT
                wait $child
                """
            case .dies:
                """
                #!/bin/sh
                echo "the port is taken, say"
                exit 7
                """
            case .stubborn:
                """
                #!/bin/sh
                trap '' INT TERM
                \(leaker) --listen 127.0.0.1:\(port) & child=$!
                wait $child
                """
            }
        try script.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        tools = DrillTools(oakumPath: path) { _ in FakePlane(port: port, journal: journal) }
    }
}

/// A control plane with one service of two workers, and a journal that begins at the first look under load.
private final class FakePlane: ControlPlane {
    private let port: Int
    private let script: [(EventKind, Verdict?)]
    private let records = Mutex<[EventRecord]>([])

    init(port: Int, journal: [(EventKind, Verdict?)]) {
        self.port = port
        script = journal
    }

    func overview() async throws(ControlError) -> Overview {
        let now = Moment(uptime: uptimeNow(), wall: WallTime(milliseconds: 0))
        // The script says nothing when its worker listens; the real one says serving only then.
        let answers = await HTTPProbe.status(of: "/", at: LoadTarget(port: port), timeoutSeconds: 1) == 200
        let workers = [1, 2].map { number in
            WorkerStatus(
                number: number, phase: answers ? .serving : .starting, process: nil, startedAt: now,
                latest: Sample(at: now.uptime, rss: .mebibytes(40)), cpuCores: nil, verdict: Verdict(code: .steady),
                summary: "steady")
        }
        return Overview(
            at: now,
            oakum: OakumStatus(
                version: "test", pid: 1, keeperPID: nil, startedAt: now, observeOnly: false, paused: false,
                rss: .mebibytes(40),
                problems: []),
            services: [
                ServiceStatus(
                    name: "leaker", address: "127.0.0.1:\(port)", desiredWorkers: 2, capacityFloor: 1,
                    budget: .mebibytes(48), recycles: 0, recycling: false, workers: workers)
            ])
    }

    func history(_ query: HistoryQuery) async throws(ControlError) -> History {
        throw .notFound("no history here")
    }

    func events(_ query: EventQuery) async throws(ControlError) -> [EventRecord] {
        records.withLock { records in
            if records.isEmpty {
                let now = Moment(uptime: uptimeNow(), wall: WallTime(milliseconds: 0))
                records = script.enumerated().map { number, event in
                    EventRecord(
                        id: Int64(number + 1),
                        event: Event(
                            kind: event.0, at: now, service: "leaker", worker: 1, message: "as the test wants it",
                            verdict: event.1))
                }
            }
            return records.filter { $0.id > query.after ?? 0 }.prefix(query.limit).map(\.self)
        }
    }

    func perform(_ command: ControlCommand) async throws(ControlError) -> CommandOutcome {
        throw .refused("not here")
    }

    func releases(of service: String) async throws(ControlError) -> ReleaseList {
        throw .refused("\(service) takes no releases")
    }

    func heap(_ query: HeapQuery) async throws(ControlError) -> HeapView {
        throw .refused("no sampler here")
    }

    func heapFile(_ query: HeapQuery, as form: HeapFileForm) async throws(ControlError) -> [UInt8] {
        throw .refused("no sampler here")
    }
}
