import Glibc
import OakumModel
import OakumTestKit
import ReleaseGate
import Testing

/// One canary of three minutes with latency, played with a look every ten seconds.
private func canary(
    _ candidate: WorkerShape, _ baseline: WorkerShape = quick, seconds: Double = 180, seed: UInt64 = 3,
    change: (inout GateReading) -> Void = { _ in }
) -> GateReport {
    var draws = SeededGenerator(seed: seed)
    var played = SimulatedCanary(candidate: candidate, baseline: baseline, seconds: seconds, step: 5, using: &draws)
    for index in played.candidate[0].indices { change(&played.candidate[0][index]) }
    return played.play(GateSettings(), lookEvery: 10)
}

/// Enough requests for a p99 in three minutes.
private let quick: WorkerShape = {
    var shape = WorkerShape()
    shape.requestsPerSecond = 100
    shape.hasLatency = true
    return shape
}()

private func changed(_ change: (inout WorkerShape) -> Void) -> WorkerShape {
    var shape = quick
    change(&shape)
    return shape
}

@Suite struct SignalTests {
    @Test func `a release like the one before passes its three minutes, and says what it could not see`() throws {
        let report = canary(quick)
        #expect(report.verdict == .pass, "\(report.lines)")
        #expect(report.liveness.verdict == .pass)
        #expect(report.errors?.verdict == .pass)
        // Memory is left to the bake: it is open, with the smallest leak that would have shown.
        #expect(report.memory.verdict == .needMoreData)
        let memory = try #require(report.memory.evidence)
        #expect(memory.smallestBytesPerHour > 100 * 1_048_576 && memory.smallestBytesPerHour.isFinite)
        #expect(report.memory.reason.contains("would have shown"))
    }

    @Test func `of equal releases one in a hundred fails at most, looked at every five seconds`() {
        let isFull = getenv("FULL") != nil
        let runs = isFull ? 1_000 : 8
        var failed: [GateReport] = []
        for run in 0..<runs {
            var draws = SeededGenerator(seed: 900 + UInt64(run))
            let canary = SimulatedCanary(
                candidate: quick, baseline: quick, seconds: isFull ? 1_800 : 240, step: 5, using: &draws)
            let report = canary.play(GateSettings(), lookEvery: 5)
            if report.verdict == .fail { failed.append(report) }
        }
        if isFull { print("equal releases: \(failed.count) of \(runs) failed, \(failed.map(\.reasons))") }
        #expect(100 * failed.count <= runs, "\(failed.map(\.reasons))")
    }

    @Test func `failures that rise are told within three minutes`() throws {
        let report = canary(changed { $0.failing = 0.02 })
        #expect(report.verdict == .fail)
        let evidence = try #require(report.errors?.evidence)
        #expect(report.errors?.verdict == .fail)
        #expect(evidence.strongest >= evidence.threshold && evidence.ratio.low > 1)
        #expect(report.elapsedSeconds <= 180)
    }

    @Test func `no verdict on errors below two hundred requests an arm`() {
        let report = canary(changed { $0.requestsPerSecond = 1 }, changed { $0.requestsPerSecond = 1 })
        #expect(report.errors?.verdict == .needMoreData)
        #expect(report.verdict == .needMoreData)
    }

    @Test func `slower answers fail`() throws {
        let report = canary(changed { $0.latencyMedian = 0.04 })
        #expect(report.latency?.verdict == .fail, "\(report.lines)")
        let ratio = try #require(report.latency?.evidence?.ratio)
        #expect(ratio.low > 1.2 && (ratio.estimate ?? 0) > 1.5)
    }

    @Test func `answers as fast as before pass when there are enough of them`() throws {
        let report = canary(quick, seconds: 600)
        #expect(report.latency?.verdict == .pass, "\(report.lines)")
        let ratio = try #require(report.latency?.evidence?.ratio)
        #expect(ratio.low < 1 && (ratio.high ?? 9) <= 1.2)
        // Ten seconds are a block: six of them are too few.
        #expect(canary(quick, seconds: 60).latency?.verdict == .needMoreData)
    }

    @Test func `releases with other buckets are compared in those they have in common`() throws {
        let report = canary(changed { $0.latencyMedian = 0.04 }) { reading in
            guard let told = reading.latency else { return }
            // Every other one, and the first in between.
            let kept = told.bounds.indices.filter { $0 % 2 == 0 || $0 == 5 }
            reading.latency = LatencyCounts(
                bounds: kept.map { told.bounds[$0] }, counts: kept.map { told.counts[$0] }, total: told.total)
        }
        #expect(report.latency?.verdict == .fail, "\(report.lines)")
        let none = canary(quick) { reading in
            reading.latency = LatencyCounts(bounds: [0.123], counts: [1], total: reading.requests ?? 1)
        }
        #expect(none.latency?.verdict == .needMoreData)
    }

    @Test func `a pause that both arms have makes the interval wider, not the release worse`() throws {
        var draws = SeededGenerator(seed: 8)
        var latencies: [[Double]] = [[0, 0, 0], [0, 0, 0]]
        var gate = ReleaseGate(.canary(startedAt: Uptime(seconds: 0), candidate: [1], baseline: [2]))
        var report = gate.look(at: Uptime(seconds: 0))
        for step in 1...120 {
            let time = Double(step) * 5
            for arm in 0..<2 {
                // In one stretch of ten, at random for each arm, a tenth of all is slow.
                let slow = draws.chance(0.1) ? 50 : draws.poisson(2)
                latencies[arm][0] += 500 - slow
                latencies[arm][1] += 500 - slow * 0.3
                latencies[arm][2] += 500
                gate.add(
                    GateReading(
                        at: Uptime(seconds: time), requests: latencies[arm][2], failed: 0,
                        latency: LatencyCounts(
                            bounds: [0.05, 0.5], counts: [latencies[arm][0], latencies[arm][1]],
                            total: latencies[arm][2])),
                    of: GateWorker(arm == 0 ? .candidate : .baseline, UInt32(arm + 1)))
            }
            report = gate.look(at: Uptime(seconds: time))
            #expect(report.verdict != .fail, "\(report.lines)")
        }
        #expect(try #require(report.latency?.evidence).clustering.allSatisfy { $0 > 5 })
    }

    @Test func `dearer requests fail, and equal ones pass`() throws {
        let dear = canary(changed { $0.cpuMilliseconds = 3 })
        #expect(dear.cpu?.verdict == .fail, "\(dear.lines)")
        let ratio = try #require(dear.cpu?.evidence?.ratio)
        #expect(ratio.low > 1.2 && ratio.low < 1.5 && (ratio.high ?? 0) > 1.4)
        #expect(canary(quick).cpu?.verdict == .pass)
        // A tenth is within what is allowed.
        #expect(canary(changed { $0.cpuMilliseconds = 2.2 }, seconds: 600).cpu?.verdict == .pass)
    }

    @Test func `uneven shares say nothing about the cost of a request`() {
        let report = canary(changed { $0.share = 0.3 })
        #expect(report.cpu?.verdict == .needMoreData)
        #expect(report.cpu?.reason.contains("times as many requests") == true)
    }

    @Test(arguments: [GateEvent.Kind.crashed, .outOfMemoryKilled, .readinessLost])
    func `one crash, kill or loss of readiness fails at once`(kind: GateEvent.Kind) {
        var gate = ReleaseGate(.canary(startedAt: Uptime(seconds: 0), candidate: [1, 2], baseline: [3, 4]))
        gate.add(GateEvent(at: Uptime(seconds: 4), worker: GateWorker(.baseline, 3), kind: kind))
        let before = gate.look(at: Uptime(seconds: 4)).verdict
        #expect(before == .needMoreData)
        gate.add(GateEvent(at: Uptime(seconds: 5), worker: GateWorker(.candidate, 2), kind: kind))
        let report = gate.look(at: Uptime(seconds: 5))
        #expect(report.verdict == .fail && report.liveness.verdict == .fail)
        let counts = report.liveness.evidence?.candidate
        #expect(counts.map { $0.crashes + $0.outOfMemoryKills + $0.readinessLosses } == 1)
        // What failed stays failed.
        let later = gate.look(at: Uptime(seconds: 500))
        #expect(later == report)
        let isTaken = gate.add(GateEvent(at: Uptime(seconds: 6), worker: GateWorker(.candidate, 9), kind: kind))
        #expect(!isTaken)
    }

    @Test func `a worker that began anew without a word is noticed, and does not pass`() {
        let report = canary(quick) { reading in
            guard reading.at.seconds > 90 else { return }
            reading.requests = reading.requests.map { $0 - 8_000 }
            reading.failed = 0
        }
        #expect(report.verdict == .needMoreData)
        #expect(report.liveness.evidence?.candidate.restarts == 1)
        #expect(report.memory.reason.contains("restarted"))
    }
}
