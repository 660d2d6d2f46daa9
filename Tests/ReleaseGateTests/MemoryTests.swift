import Glibc
import OakumModel
import OakumTestKit
import ReleaseGate
import Testing

@Suite struct MemoryTests {
    private static let isFull = getenv("FULL") != nil
    /// Canaries of each kind: enough to see that the rule works; FULL=1 in a release build gives the figures of
    /// docs/release-gate.md.
    private static func count(_ few: Int) -> Int { isFull ? 1_000 : few }

    private struct Outcome {
        /// When it failed, minutes.
        var failedAt = Double.infinity
        var report: GateReport
    }

    private func outcomes(
        _ candidate: WorkerShape, _ baseline: WorkerShape = WorkerShape(), runs: Int, minutes: Double = 180,
        first: UInt64 = 1
    ) -> [Outcome] {
        (0..<runs).map { run in
            var draws = SeededGenerator(seed: first &+ UInt64(run) &* 7_919)
            let canary = SimulatedCanary(
                candidate: candidate, baseline: baseline, seconds: minutes * 60, step: Self.isFull ? 15 : 30,
                using: &draws)
            let report = canary.play()
            return Outcome(
                failedAt: report.verdict == .fail ? report.elapsedSeconds / 60 : .infinity, report: report)
        }
    }

    @Test func `of equal releases one in a hundred fails at most`() {
        let runs = Self.count(12)
        let outcomes = outcomes(WorkerShape(), runs: runs)
        let failed = outcomes.filter { $0.report.verdict == .fail }
        tell("equal releases", outcomes)
        #expect(100 * failed.count <= runs, "\(failed.map(\.report.reasons))")
        #expect(outcomes.filter { $0.report.memory.verdict == .pass }.count >= runs * 9 / 10)
    }

    /// The detection curve at 50 requests a second a worker: minutes within which half of the leaks are found.
    @Test(arguments: [(120.0, 80.0), (60, 120), (30, 150), (12, 200)])
    func `a leak is found within its time, and never passes`(mebibytesPerHour: Double, minutes: Double) {
        let runs = Self.count(6)
        var shape = WorkerShape()
        shape.leakMiBPerHour = mebibytesPerHour
        let outcomes = outcomes(shape, runs: runs)
        let found = outcomes.filter { $0.failedAt <= minutes }.count
        if minutes <= 180 { #expect(2 * found >= runs, "\(outcomes.map(\.failedAt))") }
        #expect(!outcomes.contains { $0.report.memory.verdict == .pass })
        tell("\(mebibytesPerHour) MiB/h", outcomes)
    }

    private func tell(_ name: String, _ outcomes: [Outcome]) {
        guard Self.isFull else { return }
        let shares = [30.0, 60, 120, 180].map { limit in
            "\(Int(limit)) min \(100 * Double(outcomes.count { $0.failedAt <= limit }) / Double(outcomes.count)) %"
        }
        let passed = outcomes.count { $0.report.memory.verdict == .pass }
        print("\(name): \(shares.joined(separator: ", ")) failed; \(passed) of \(outcomes.count) pass in the end")
    }

    // The slowest takes more canaries to be judged by than a short run has.
    @Test(arguments: [(60.0, 600.0), (60, 1_800), (200, 1_800)] + (isFull ? [(60, 3_600)] : []))
    func `what fills up is open, not failed`(mebibytes: Double, seconds: Double) {
        let runs = Self.count(4)
        var shape = WorkerShape()
        shape.cacheMiB = mebibytes
        shape.cacheSeconds = seconds
        let outcomes = outcomes(shape, runs: runs)
        tell("cache of \(mebibytes) MiB, \(seconds / 60) min", outcomes)
        let failed = outcomes.filter { $0.report.verdict == .fail }.count
        #expect(50 * failed <= runs, "\(outcomes.map(\.report.reasons))")
    }

    @Test func `a leak of the smallest size that is named is mostly found`() throws {
        let runs = Self.count(8)
        var found = 0
        for run in 0..<runs {
            var draws = SeededGenerator(seed: 500 + UInt64(run))
            let arms = (0..<2).map { _ in WorkerShape().readings(seconds: 7_200, step: 30, using: &draws) }
            let quiet = SimulatedCanary(candidate: [arms[0]], baseline: [arms[1]]).play()
            let smallest = try #require(quiet.memory.evidence).smallestBytesPerRequest
            let leaking = RecordedWorker(name: "leaking", readings: arms[0]).readings(leakBytesPerRequest: smallest)
            let report = SimulatedCanary(candidate: [leaking], baseline: [arms[1]]).play()
            if report.verdict == .fail { found += 1 }
        }
        if Self.isFull { print("of the smallest size: \(found) of \(runs) found") }
        #expect(10 * found >= 6 * runs)
    }

    @Test func `a leak that the current release has too is not the candidate's`() {
        var leaking = WorkerShape()
        leaking.leakMiBPerHour = 120
        // Nor when the candidate is given far more requests.
        var busy = leaking
        busy.share = 1.5
        for outcome in outcomes(busy, leaking, runs: Self.count(3)) {
            #expect(outcome.report.memory.verdict != .fail, "\(outcome.report.lines)")
        }
    }

    @Test func `few requests show a leak by the request as many do`() throws {
        var shape = WorkerShape()
        shape.leakMiBPerHour = 300
        shape.share = 0.6
        let outcome = try #require(outcomes(shape, runs: 1).first)
        #expect(outcome.report.memory.verdict == .fail, "\(outcome.report.lines)")
        let evidence = try #require(outcome.report.memory.evidence)
        let truth = 300 * 1_048_576 / 3_600.0 / 50
        #expect(evidence.bytesPerRequest.low < truth && truth < evidence.bytesPerRequest.high)
        #expect(abs(evidence.requestsPerSecond - 30) < 2)
    }

    @Test func `descriptors that grow with it are named`() throws {
        var shape = WorkerShape()
        shape.leakMiBPerHour = 200
        shape.descriptorsPerHour = 360
        let report = try #require(outcomes(shape, runs: 1).first?.report)
        let descriptors = try #require(report.memory.evidence?.descriptorsPerThousandRequests)
        #expect(abs(descriptors.estimate - 2) < 0.2)
        #expect(report.memory.reason.contains("open descriptors grow too"))
    }

    @Test func `resident bytes serve where bytes in use are not told`() {
        var draws = SeededGenerator(seed: 4)
        var leaking = WorkerShape()
        leaking.leakMiBPerHour = 200
        var canary = SimulatedCanary(candidate: leaking, seconds: 7_200, step: 30, using: &draws)
        for index in canary.baseline[0].indices { canary.baseline[0][index].bytesInUse = nil }
        let report = canary.play()
        #expect(report.memory.evidence?.metric == .residentBytes)
        #expect(report.memory.verdict == .fail)
    }

    @Test func `a limit that is near fails at the first look, one that is far away does not fail at all`() {
        var draws = SeededGenerator(seed: 6)
        var shape = WorkerShape()
        shape.leakMiBPerHour = 1_200
        shape.noiseMiB = 1
        var canary = SimulatedCanary(candidate: shape, seconds: 3_600, step: 15, using: &draws)
        canary.limit = .mebibytes(1_200)
        let near = canary.play()
        #expect(near.verdict == .fail && near.memory.evidence?.looksInARow == 1, "\(near.lines)")
        canary.limit = .mebibytes(1_000_000)
        let far = canary.play()
        #expect(far.memory.verdict == .pass, "\(far.lines)")
    }

    @Test func `two workers an arm are compared by their medians`() {
        var draws = SeededGenerator(seed: 9)
        var leaking = WorkerShape()
        leaking.leakMiBPerHour = 120
        let canary = SimulatedCanary(candidate: leaking, workers: 2, seconds: 7_200, step: 30, using: &draws)
        #expect(canary.play().memory.verdict == .fail)
    }
}

@Suite struct FitTests {
    @Test func `the bounds of a slope hold it, with memory in the noise`() {
        var draws = SeededGenerator(seed: 2)
        var missed = 0
        for _ in 0..<400 {
            var drift = 0.0
            let values = (0..<60).map { place in
                drift = 0.6 * drift + draws.normal()
                return 3 * Double(place) + drift
            }
            guard let fit = SlopeFit((0..<60).map(Double.init), values, resolution: 0.01, sigmas: 2.326) else {
                continue
            }
            if fit.low > 3 || fit.high < 3 { missed += 1 }
        }
        // One in a hundred on each side is meant; the error is itself an estimate, and what is seen is two.
        #expect(missed <= 20)
    }

    @Test func `too little for a line has none`() {
        #expect(SlopeFit([1, 2, 3], [1, 2, 3], resolution: 1, sigmas: 2) == nil)
        #expect(SlopeFit([1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6], resolution: 1, sigmas: 2) == nil)
        #expect(FillingFit([1, 2], [1, 2], resolution: 1, mostScale: 1) == nil)
    }

    @Test func `a line is told from what fills up, and its end is seen`() throws {
        var draws = SeededGenerator(seed: 3)
        let places = (0..<60).map(Double.init)
        let line = places.map { 100 * $0 + draws.normal(deviation: 60) }
        let filling = places.map { 6_000 * (1 - exp(-$0 / 20)) + draws.normal(deviation: 60) }
        #expect(try #require(FillingFit(places, line, resolution: 1, mostScale: 1.1)).lineIsLikelier > 5)
        let fit = try #require(FillingFit(places, filling, resolution: 1, mostScale: 1.1))
        #expect(fit.lineIsLikelier < -5)
        #expect(abs(fit.ceiling - 6_000) < 900)
    }
}
