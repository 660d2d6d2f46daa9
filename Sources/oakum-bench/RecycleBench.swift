import ArgumentParser
import Foundation
import LoadGenerator
import OakumAPI
import OakumModel
import OakumRemote
import Synchronization

/// Forced recycles of the registration service under keep-alive and new-connection load: how many requests are lost?
struct RecycleBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recycle",
        abstract: "Recycles workers under load and counts lost requests.",
        discussion: """
            Examples:
              oakum-bench recycle
              oakum-bench recycle --requests 1000000 --out bench/results/recycle.json
            """)

    @Option(help: "Recycles at least.") var recycles = 200
    @Option(help: "Requests at least.") var requests: UInt64 = 200_000
    @Option(help: "Requests a second, two thirds of them over kept connections.") var rate: Double = 1_200
    @Option(help: "Where the result is written, as JSON.") var out = "bench/results/recycle.json"

    func run() async throws {
        let oakum = try BenchOakum(recyclesPerHour: 3_600)
        defer { oakum.remove() }
        let port = try await oakum.waitUntilServing(workers: 2)
        let load = LoadRun(plan(port: port))
        let (report, done) = try await withThrowingTaskGroup(of: Int?.self, returning: (LoadReport, Int).self) {
            group in
            group.addTask { try await self.recycle(oakum, until: load) }
            let report = try await load.run()
            group.cancelAll()
            var done = 0
            for try await count in group { done = count ?? 0 }
            return (report, done)
        }
        try await oakum.stop()
        try write(report, recycles: done)
    }

    /// As long as the requests need at that rate, and long enough for the recycles: about 1.1 s each
    /// on two quiet cores.
    private func plan(port: Int) -> LoadPlan {
        let request = { (name: String) in
            RequestTemplate(name: name, path: TextTemplate(literal: "/v1/session"), expectedStatuses: [401])
        }
        let seconds = max(Double(requests) / rate * 1.02, Double(recycles) * 1.5)
        return LoadPlan(
            seed: 1, targets: [LoadTarget(port: port)],
            connections: ConnectionPolicy(limit: 400, thinkSeconds: 0.02...0.3),
            streams: [
                LoadStream(request: request("kept connection")),
                LoadStream(request: request("new connection"), newConnectionEach: true),
            ],
            steps: [LoadStep(seconds: seconds, perSecond: [rate * 2 / 3, rate / 3])])
    }

    /// Recycles one worker after the other until the load ends; returns how many were finished.
    private func recycle(_ oakum: BenchOakum, until load: LoadRun) async throws -> Int {
        let clock = ContinuousClock()
        var told = clock.now
        var done = 0
        do {
            while true {
                _ = try await oakum.plane.perform(.recycle(service: oakum.service, worker: nil))
                repeat {
                    try await clock.sleep(for: .milliseconds(100))
                    done = try await oakum.plane.overview().services[0].recycles
                } while try await oakum.plane.overview().services[0].recycling
                if clock.now - told > .seconds(10) {
                    told = clock.now
                    let now = load.snapshot
                    FileHandle.standardError.write(
                        Data("\(done) recycles, \(now.requests) requests, \(now.failed) lost\n".utf8))
                }
            }
        } catch is CancellationError {
            return done
        }
    }

    private func write(_ report: LoadReport, recycles done: Int) throws {
        struct Result: Encodable {
            var recycles: Int
            var requests: UInt64
            var lost: UInt64
            var p99_ms: Double?
            var lost_by_kind: FailureCounts
        }
        let result = Result(
            recycles: done, requests: report.requests, lost: report.failed, p99_ms: report.latency?.p99,
            lost_by_kind: report.failures)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let file = URL(filePath: out)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(result).write(to: file)
        for note in report.notes { FileHandle.standardError.write(Data("lost: \(note)\n".utf8)) }
        if let reason = report.noEvidence {
            FileHandle.standardError.write(Data("this run is no evidence: \(reason)\n".utf8))
            throw ExitCode(3)
        }
        if done < recycles {
            FileHandle.standardError.write(Data("only \(done) of \(recycles) recycles were made in time\n".utf8))
            throw ExitCode(3)
        }
    }
}
