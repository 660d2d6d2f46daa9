import AlertRules
import OakumModel
import OakumTestKit
import Testing

@Suite struct TrafficTests {
    @Test func `an outage is told within seconds, with numbers, and its end too`() throws {
        let watched = Watched(SimulatedService(seed: 1))
        #expect(watched.run(600).isEmpty)
        let began = watched.service.now
        watched.service.load.failing = 0.5
        let alert = try #require(watched.run(until: .errorRate, atMost: 60))
        #expect(alert.at.uptime - began.uptime <= 10)
        #expect(alert.severity == .critical)
        #expect(alert.summary.hasPrefix("registrar: ") && alert.summary.contains("% of requests fail ("))
        #expect(abs(alert.since.uptime - began.uptime) <= 4)
        let impact = try #require(alert.impact?.first)
        #expect(impact.until == nil && impact.percent.map { $0 < -20 } == true)

        watched.run(60)
        let mended = watched.service.now
        watched.service.load.failing = 0
        let over = try #require(watched.run(until: .errorRate, .resolved, atMost: 900))
        #expect(over.fingerprint == alert.fingerprint && over.since == alert.since)
        let until = try #require(over.impact?.first?.until)
        #expect(abs(Double(until.milliseconds - mended.wall.milliseconds)) <= 4_000)
        #expect(over.impact?.first?.percent.map { $0 < -45 && $0 > -55 } == true)
        #expect(watched.book.firing.isEmpty)
    }

    @Test func `a slow burn is told by the longer windows, and a burn within the allowance never`() throws {
        let slow = Watched(SimulatedService(seed: 2))
        slow.run(60)
        // Twenty times what is allowed: less than the fastest pair wants, more than the second.
        slow.service.load.failing = 0.02
        let alert = try #require(slow.run(until: .errorRate, atMost: 4_000, every: 5))
        #expect(alert.at.uptime.seconds > 1_250 && alert.at.uptime.seconds < 1_400)
        #expect(alert.details.contains { $0.contains("burn of") })

        let fine = Watched(SimulatedService(seed: 3))
        fine.service.load.failing = 0.0008
        #expect(fine.run(12 * 3_600, every: 5).isEmpty)
    }

    @Test func `a slow burn goes on over a restart of Oakum, and ends after it`() throws {
        let before = Watched(SimulatedService(seed: 9))
        before.run(60)
        before.service.load.failing = 0.02
        let alert = try #require(before.run(until: .errorRate, atMost: 4_000, every: 5))
        let after = Watched(before.service)
        #expect(after.book.assume([alert], at: before.service.now).isEmpty)
        #expect(!after.run(1_200).contains { $0.kind == .errorRate && $0.status == .resolved })
        after.service.load.failing = 0
        #expect(after.run(until: .errorRate, .resolved, atMost: 900) != nil)
    }

    @Test func `the second pair lets go when it no longer burns, not when its window has passed`() throws {
        let watched = Watched(SimulatedService(seed: 4))
        watched.run(60)
        watched.service.load.failing = 1
        watched.run(480)
        watched.service.load.failing = 0
        let over = try #require(watched.run(until: .errorRate, .resolved, atMost: 1_800))
        #expect(over.at.uptime.seconds - 1_540 < 400)
        #expect(watched.run(7_200, every: 5).isEmpty)
    }

    @Test func `with few requests a single failure is no outage`() async throws {
        try await forAll(seeds: 6) { generator in
            let watched = Watched(SimulatedService(seed: generator.next()))
            watched.service.load = .init(requestsPerSecond: 0.2, failing: 0.001)
            #expect(watched.run(86_400, every: 10).isEmpty)
        }
    }

    @Test func `workers that are replaced make neither spikes nor alerts`() async throws {
        try await forAll(seeds: 5) { generator in
            let watched = Watched(SimulatedService(seed: generator.next(), workers: 3))
            watched.service.load.failing = 0.0003
            for _ in 0..<200 {
                watched.run(Double(generator.int(2...40)))
                watched.service.replace()
            }
            #expect(watched.told.isEmpty)
        }
    }

    @Test func `a failing service whose workers are replaced goes on failing`() throws {
        let watched = Watched(SimulatedService(seed: 5))
        watched.run(60)
        watched.service.load.failing = 0.6
        watched.run(30)
        for _ in 0..<10 {
            watched.service.replace()
            watched.run(20)
        }
        #expect(watched.told.filter { $0.status == .resolved }.isEmpty)
        #expect(watched.book.firing.map(\.kind) == [.errorRate])
    }

    @Test func `silence ends no alert of errors`() throws {
        let watched = Watched(SimulatedService(seed: 6))
        watched.run(60)
        watched.service.load.failing = 1
        _ = try #require(watched.run(until: .errorRate, atMost: 30))
        for index in watched.service.workers.indices { watched.service.workers[index].tells = false }
        let told = watched.run(3_600)
        #expect(!told.contains { $0.kind == .errorRate && $0.status == .resolved })
        #expect(told.contains { $0.kind == .noData && $0.status == .firing })
    }

    @Test func `slow answers are told by share where there is a histogram`() throws {
        let watched = Watched(SimulatedService(seed: 7))
        watched.service.load.slow = 0.002
        #expect(watched.run(1_200).isEmpty)
        let began = watched.service.now
        watched.service.load.slow = 0.6
        let alert = try #require(watched.run(until: .latency, atMost: 120))
        #expect(alert.at.uptime - began.uptime <= 40)
        #expect(alert.summary.contains("take longer than 1 s"))
        #expect(alert.impact?.first?.what == "requests answered within 1 s")
        watched.run(30)
        watched.service.load.slow = 0
        #expect(watched.run(until: .latency, .resolved, atMost: 900) != nil)
    }

    @Test func `without a histogram the mean tells`() throws {
        var book = RuleBook(service: "registrar", settings: AlertSettings())
        var service = SimulatedService(seed: 8)
        func told(_ seconds: Double) -> [Alert] {
            var alerts: [Alert] = []
            for _ in 0..<Int(seconds / 2) {
                var reading = service.step()
                for index in reading.workers.indices { reading.workers[index].counters?.durations = [] }
                alerts += book.add(reading).alerts
            }
            return alerts
        }
        #expect(told(300).isEmpty)
        service.load.slow = 0.9
        let alerts = told(120)
        #expect(alerts.first?.kind == .latency && alerts.first?.severity == .warning)
        #expect(alerts.first?.summary.contains("on average") == true)
        service.load.slow = 0
        #expect(told(300).contains { $0.kind == .latency && $0.status == .resolved })
    }

    @Test func `beginning and end of an impact are found to the reading`() async throws {
        try await forAll(seeds: 40) { generator in
            var impact = ShareImpact(allowed: 0.001)
            let rate = generator.double(20..<2_000)
            let failing = generator.double(0.05..<1)
            var now = Moment(uptime: Uptime(seconds: 500), wall: WallTime(milliseconds: 1_700_000_000_000))
            func run(_ seconds: Double, _ share: Double, _ generator: inout SeededGenerator) {
                for _ in 0..<Int(seconds / 2) {
                    let from = now
                    now.uptime = now.uptime + 2
                    now.wall.milliseconds += 2_000
                    let all = generator.poisson(rate * 2)
                    impact.add(all: all, bad: generator.binomial(all, share), from: from, at: now)
                }
            }
            run(1_000, 0.0005, &generator)
            #expect(impact.episode == nil)
            let begin = now.uptime
            run(400, failing, &generator)
            let from = try #require(impact.episode?.from.uptime)
            #expect(abs(from - begin) <= 6)
            #expect(impact.isOn)
            let end = now.uptime
            run(400, 0.0005, &generator)
            let until = try #require(impact.episode?.until?.uptime)
            #expect(abs(until - end) <= 6)
            let episode = try #require(impact.episode)
            #expect(abs(episode.bad / episode.all - failing) < 0.05)
        }
    }
}
