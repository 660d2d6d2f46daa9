import AlertRules
import Glibc
import OakumModel
import OakumTestKit
import Testing

@Suite struct QuietDaysTests {
    /// A service as it is when all is well: load that goes up and down, failures and slow answers within what is allowed,
    /// workers that are replaced and sometimes miss a probe or a reading.
    private static func day(seed: UInt64, seconds: Double, step: Double) -> [Alert] {
        var generator = SeededGenerator(seed: seed)
        let watched = Watched(SimulatedService(seed: seed, workers: generator.int(1...3)))
        let demand = SimulatedDemand(base: generator.double(0.5..<60), seed: seed)
        let failing = generator.double(0..<0.0008)
        let end = watched.service.now.uptime + seconds
        while watched.service.now.uptime < end {
            watched.service.load.requestsPerSecond = demand.rate(at: watched.service.now.wall)
            watched.service.load.failing = failing
            watched.service.load.slow = generator.double(0..<0.008)
            watched.service.coresUsed = generator.double(0.1..<3)
            for index in watched.service.workers.indices {
                watched.service.workers[index].rss = .mebibytes(Int64(generator.int(100...225)))
                watched.service.workers[index].answers = !generator.chance(0.002)
                watched.service.workers[index].tells = !generator.chance(0.01)
            }
            if generator.chance(0.003) { watched.service.replace() }
            watched.run(step, every: step)
            // Missed once, and there again.
            for index in watched.service.workers.indices {
                watched.service.workers[index].answers = true
                watched.service.workers[index].tells = true
            }
            watched.run(step * 3, every: step)
        }
        return watched.told
    }

    @Test func `noisy days raise nothing`() {
        // FULL=1: the run of docs/alert-rules.md.
        let days: UInt64 = getenv("FULL") == nil ? 2 : 200
        var told: [Alert] = []
        for seed in 1...days { told += Self.day(seed: seed, seconds: 43_200, step: 4) }
        #expect(told.isEmpty, "\(told.map(\.summary))")
    }

    @Test func `a condition that comes and goes is told at most ten times an hour`() async throws {
        try await forAll(seeds: 4) { generator in
            let watched = Watched(SimulatedService(seed: generator.next()))
            for _ in 0..<60 {
                watched.service.load.failing = 0.8
                watched.run(Double(generator.int(6...90)))
                watched.service.load.failing = 0
                watched.run(Double(generator.int(6...90)))
            }
            let begins = watched.told.filter { $0.kind == .errorRate && $0.status == .resolved }.map(
                \.at.uptime.seconds)
            for begin in begins {
                #expect(begins.count { $0 >= begin && $0 < begin + 3_600 } <= Latch.raisesPerHour)
            }
            // Told again once a minute at most, beside changes of severity.
            #expect(watched.told.count < 400)
        }
    }

    @Test func `every reading there can be is taken, and nothing is told beyond its bounds`() async throws {
        try await forAll(seeds: 40) { generator in
            var book = RuleBook(
                service: String(repeating: "s", count: generator.int(0...600)),
                settings: AlertSettings(business: [BusinessSettings(name: "orders", counter: "orders_total")]))
            var now = Moment(uptime: Uptime(seconds: 10), wall: WallTime(milliseconds: 1_700_000_000_000))
            for _ in 0..<150 {
                now.uptime = now.uptime + (generator.chance(0.05) ? generator.double(0..<1e6) : 2)
                now.wall.milliseconds +=
                    generator.chance(0.05) ? Int64(generator.int(-1_000_000_000...1_000_000_000)) : 2_000
                let reading = Self.nonsense(at: now, &generator)
                for alert in book.add(reading).alerts {
                    #expect(alert.fingerprint.utf8.count <= 512 && alert.summary.utf8.count <= 1_024)
                    #expect(alert.details.count <= 20 && alert.labels.count <= 64)
                    #expect(!alert.summary.contains("nan") && !alert.summary.contains("inf"))
                }
            }
        }
    }

    private static func nonsense(at now: Moment, _ generator: inout SeededGenerator) -> ServiceReading {
        let odd: [Double] = [0, 1, -1, 1e300, .nan, .infinity, .leastNonzeroMagnitude, 12_345]
        func number(_ generator: inout SeededGenerator) -> Double? {
            generator.chance(0.3) ? nil : generator.chance(0.3) ? generator.pick(odd) : generator.double(0..<1e6)
        }
        let workers = (0..<generator.int(0...5)).map { index in
            var counters = WorkerCounters(
                requests: number(&generator), failures: number(&generator), durationSum: number(&generator),
                durationCount: number(&generator))
            counters.durations = [DurationBucket(bound: 1, count: number(&generator) ?? 0)]
            if let value = number(&generator) { counters.business = ["orders": value] }
            let known = ByteCount(Int64(generator.int(-5...1_000_000_000)))
            return WorkerReading(
                number: UInt32(index),
                process: ProcessIdentity(pid: Int32(index), startTicks: UInt64(generator.int(0...2))),
                startedAt: generator.chance(0.5) ? Uptime(seconds: generator.double(0..<1e6)) : nil,
                isDraining: generator.chance(0.2),
                probe: generator.chance(0.3) ? nil : generator.pick([.answered, .failed]),
                wasAsked: generator.chance(0.9), counters: generator.chance(0.8) ? counters : nil,
                cpuSeconds: number(&generator), rss: known,
                budget: generator.chance(0.3) ? nil : generator.pick([ByteCount(0), .mebibytes(64)]),
                fileDescriptors: generator.int(-1...5_000),
                fileDescriptorLimit: generator.chance(0.3) ? nil : generator.pick([0, 1_024]))
        }
        return ServiceReading(
            at: now, workers: workers, desired: generator.int(0...4), unaskedEnds: generator.int(0...100),
            outOfMemoryKills: generator.chance(0.5) ? nil : generator.int(0...3),
            cores: generator.chance(0.3) ? nil : generator.pick([0, 4]))
    }
}
