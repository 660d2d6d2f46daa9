import AlertRules
import OakumModel
import OakumTestKit
import Testing

@Suite struct BusinessTests {
    private static let metric = BusinessSettings(name: SimulatedService.metric, counter: "signups_total")
    /// Wednesday, 15 November 2023, 10:00 UTC.
    private static let ten: Int64 = 1_700_042_400_000

    /// A service with a month of history behind it, watched for some hours before ten.
    private static func watched(seed: UInt64, base: Double, hours: Double = 1) -> (Watched, SimulatedDemand) {
        var generator = SeededGenerator(seed: seed)
        var demand = SimulatedDemand(base: base, seed: seed)
        (demand.days, demand.hours) = (0.05, 0.03)
        let service = SimulatedService(seed: seed, wall: ten - Int64(hours * 3_600_000))
        let watched = Watched(service, AlertSettings(business: [metric]))
        watched.book.load(
            metric.name, demand.history(before: service.now.wall, days: 28, &generator), at: service.now)
        return (watched, demand)
    }

    private static func run(
        _ watched: Watched, _ demand: SimulatedDemand, _ seconds: Double, share: Double = 1
    ) -> [Alert] {
        var told: [Alert] = []
        for _ in 0..<Int(seconds / 20) {
            watched.service.load.signUpsPerSecond = demand.rate(at: watched.service.now.wall) * share
            told += watched.run(20, every: 4)
        }
        return told
    }

    @Test func `half of the sign-ups stay away: told with the right numbers, and so is the end`() throws {
        let (watched, demand) = Self.watched(seed: 3, base: 2)
        #expect(Self.run(watched, demand, 3_600).isEmpty)
        let began = watched.service.now.wall
        let told = Self.run(watched, demand, 2_400, share: 0.5)
        let alert = try #require(told.first)
        #expect(alert.kind == .businessRate && alert.severity == .error)
        #expect(alert.at.wall.milliseconds - began.milliseconds < 300_000)
        let last = try #require(told.last { $0.status == .firing }?.impact?.first)
        #expect(last.what == "sign-ups" && last.service == "registrar" && last.until == nil)
        #expect(last.percent.map { abs($0 + 50) < 6 } == true)
        #expect(abs(Double(last.from.milliseconds - began.milliseconds)) <= 60_000)
        #expect(last.expected.low < last.actual * 2 && last.expected.high > last.actual * 2)
        #expect(last.basis == "the same hour of 4 earlier Wednesdays")
        #expect(told.last?.summary.contains("expected, −5") == true || told.last?.summary.contains("−4") == true)

        let mended = watched.service.now.wall
        let over = try #require(Self.run(watched, demand, 900).first { $0.status == .resolved })
        let impact = try #require(over.impact?.first)
        let until = try #require(impact.until)
        #expect(abs(Double(until.milliseconds - mended.milliseconds)) <= 60_000)
        #expect(impact.percent.map { abs($0 + 50) < 6 } == true)
        #expect(over.summary.contains("back to what is expected"))
    }

    @Test func `a standstill is told within seconds at a high rate`() throws {
        let (watched, demand) = Self.watched(seed: 4, base: 20, hours: 0.2)
        #expect(Self.run(watched, demand, 720).isEmpty)
        let began = watched.service.now.uptime
        watched.service.load.signUpsPerSecond = 0
        let alert = try #require(watched.run(until: .businessRate, atMost: 60) as Alert?)
        #expect(alert.at.uptime - began <= 20)
        #expect(alert.severity == .critical)
    }

    @Test func `workers that hang serve nobody; workers that merely keep silent are not counted against`() throws {
        let (hung, demand) = Self.watched(seed: 5, base: 5, hours: 0.2)
        _ = Self.run(hung, demand, 720)
        for index in hung.service.workers.indices { hung.service.workers[index].answers = false }
        let told = hung.run(120)
        #expect(Set(told.map(\.kind)).isSuperset(of: [.unresponsive, .businessRate]))

        let (silent, _) = Self.watched(seed: 6, base: 5, hours: 0.2)
        _ = Self.run(silent, demand, 720)
        for index in silent.service.workers.indices { silent.service.workers[index].tells = false }
        let alerts = silent.run(600)
        #expect(alerts.first?.kind == .noData)
        #expect(!alerts.contains { $0.kind == .businessRate })
        for index in silent.service.workers.indices { silent.service.workers[index].tells = true }
        #expect(!Self.run(silent, demand, 600).contains { $0.kind == .businessRate })
        #expect(silent.book.firing.isEmpty)
    }

    @Test func `a counter that is gone is missing, not zero`() {
        let (watched, demand) = Self.watched(seed: 7, base: 5, hours: 0.2)
        _ = Self.run(watched, demand, 720)
        watched.service.tellsSignUps = false
        let told = Self.run(watched, demand, 300)
        #expect(told.first?.kind == .noData && told.first?.summary.contains("sign-ups") == true)
        #expect(!told.contains { $0.kind == .businessRate })
    }

    @Test func `replacing workers all the time loses no sign-up`() {
        let (watched, demand) = Self.watched(seed: 8, base: 3, hours: 1)
        for _ in 0..<60 {
            #expect(Self.run(watched, demand, 60).isEmpty)
            watched.service.replace()
        }
        let counted = watched.buckets.reduce(0) { $0 + $1.count }
        let covered = watched.buckets.reduce(0) { $0 + $1.coveredSeconds }
        #expect(covered > 3_000)
        let middle = WallTime(milliseconds: Self.ten - 1_800_000)
        #expect(abs(counted / covered / demand.rate(at: middle) - 1) < 0.1)
    }

    @Test func `a change to winter time raises nothing where the zone is known`() {
        let change = WallTime(milliseconds: 1_699_833_600_000 + 86_400_000)
        var demand = SimulatedDemand(base: 5, seed: 11)
        demand.zone = ZoneOffsets([
            .init(from: WallTime(milliseconds: 0), seconds: 7_200), .init(from: change, seconds: 3_600),
        ])
        demand.swing = 0.84
        let metric = WatchedMetric(demand, seed: 11, history: 28)
        metric.run(3 * 86_400, every: 30)
        #expect(metric.changes.isEmpty)
    }

    @Test(arguments: [3_600_000, -3_600_000, 40 * 86_400_000, -400 * 86_400_000] as [Int64])
    func `a clock that is set raises nothing`(error: Int64) {
        var demand = SimulatedDemand(base: 3, seed: 12)
        demand.swing = 0.84
        let metric = WatchedMetric(demand, seed: 12, history: 28, wall: Self.ten)
        metric.run(7_200)
        metric.clockError = error
        metric.run(18 * 3_600, every: 30)
        metric.clockError = 0
        metric.run(6 * 3_600, every: 30)
        #expect(metric.changes.isEmpty)
        metric.share = 0
        #expect(metric.secondsToAlert(atMost: 3_600, every: 10) != nil)
    }

    @Test func `without history nothing is expected for twenty minutes, then the last hour speaks`() throws {
        let demand = SimulatedDemand(base: 5, seed: 13)
        let metric = WatchedMetric(demand, seed: 13, history: 0, wall: Self.ten)
        metric.run(900)
        #expect(metric.rule.expected == nil)
        metric.share = 0
        metric.run(120)
        #expect(!metric.isFiring)
        metric.share = 1
        metric.run(5_400)
        #expect(metric.rule.expected?.basis == "the last hour")
        metric.share = 0.2
        #expect(try #require(metric.secondsToAlert(atMost: 600)) < 300)
    }

    @Test func `an outage last week does not lower what is expected`() throws {
        let demand = SimulatedDemand(base: 2, seed: 14)
        var generator = SeededGenerator(seed: 14)
        let now = WallTime(milliseconds: Self.ten)
        let hole = Self.ten - 7 * 86_400_000
        var history = demand.history(before: now, days: 28, &generator)
        for index in history.indices where abs(history[index].start.milliseconds - hole) < 4 * 3_600_000 {
            history[index].count = 0
        }
        var expectation = BusinessExpectation()
        expectation.load(history)
        let rate = try #require(expectation.rate(at: now))
        #expect(abs(rate.perSecond / demand.rate(at: now) - 1) < 0.3)
    }

    @Test func `what was lost before a restart of Oakum is part of the loss after it`() throws {
        func moment(_ seconds: Double) -> Moment {
            Moment(
                uptime: Uptime(seconds: seconds), wall: WallTime(milliseconds: Self.ten + Int64(seconds * 1_000)))
        }
        var test = DropTest()
        test.assume(since: moment(0), actual: 20, expected: 100)
        test.add(
            actual: 1, expected: 10, low: 8, dispersion: 1, threshold: 12, from: moment(60), until: moment(70))
        let sums = try #require(test.sums)
        #expect(sums.from == moment(0) && sums.until == nil)
        #expect(sums.actual == 21 && sums.expected == 110)
    }

    @Test func `buckets go out once, whole, and add up`() {
        let (watched, demand) = Self.watched(seed: 15, base: 2, hours: 2)
        let before = watched.service.workers.reduce(0) { $0 + $1.signUps }
        _ = Self.run(watched, demand, 7_200)
        let starts = watched.buckets.map(\.start.milliseconds)
        #expect(starts == starts.sorted() && Set(starts).count == starts.count)
        #expect(starts.allSatisfy { $0 % 300_000 == 0 })
        #expect(watched.buckets.dropFirst().allSatisfy { $0.coveredSeconds > 290 && $0.coveredSeconds <= 300 })
        let counted = watched.service.workers.reduce(0) { $0 + $1.signUps } - before
        let stored = watched.buckets.reduce(0) { $0 + $1.count }
        #expect(stored <= counted && stored > counted * 0.94)
    }
}
