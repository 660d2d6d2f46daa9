import AlertRules
import Glibc
import OakumModel
import OakumTestKit

/// What people want of a service over weeks: a curve of the day, quieter weekends, days that differ, hours that wander,
/// holidays. Seeded; the rate of a moment is the same whenever it is asked for.
struct SimulatedDemand {
    /// At the average hour of a working day, per second.
    var base: Double
    /// Share of the average that the curve of the day goes up and down by.
    var swing = 0.75
    var weekend = 0.5
    /// People come in office hours and hardly else.
    var isOffice = false
    /// Relative deviation of whole days.
    var days = 0.08
    /// Relative deviation of half hours.
    var hours = 0.06
    /// What the zone adds to UTC.
    var zone = ZoneOffsets.utc
    /// Days since 1970 that are like this share of themselves.
    var holidays: [Int: Double] = [:]
    /// Events come in groups of so many.
    var group = 1.0
    private let seed: UInt64

    init(base: Double, seed: UInt64) {
        self.base = base
        self.seed = seed
    }

    private func noise(_ stream: UInt64, _ index: Int) -> Double {
        var generator = SeededGenerator(
            seed: seed &* 0x9E37_79B9 &+ stream &* 0x1_0000_0001 &+ UInt64(bitPattern: Int64(index)))
        _ = generator.next()
        return generator.normal()
    }

    private func character(of day: Int) -> Double {
        let weekday = ((day + 4) % 7 + 7) % 7
        return (weekday == 0 || weekday == 6 ? weekend : 1) * (holidays[day] ?? 1) * exp(days * noise(1, day))
    }

    func rate(at time: WallTime) -> Double {
        let local = Double(time.milliseconds) / 1_000 + Double(zone.seconds(at: time))
        let day = Int((local / 86_400).rounded(.down))
        let hour = (local - Double(day) * 86_400) / 3_600
        // Least at 4 in the morning, most at 4 in the afternoon, with a shoulder in the evening.
        if isOffice { return office(hour, day) * exp(hours * wander(local)) }
        let curve = 1 - swing * cos((hour - 4) / 24 * 2 * .pi) + 0.15 * sin((hour - 4) / 12 * 2 * .pi)
        var rate = base * max(0.05, curve)
        // A day's character takes over from the day before in the small hours.
        let own = min(1, hour / 6)
        rate *= character(of: day) * own + character(of: day - 1) * (1 - own)
        return rate * exp(hours * wander(local))
    }

    private func wander(_ local: Double) -> Double {
        let block = local / 1_800
        let index = Int(block.rounded(.down))
        let part = block - Double(index)
        return noise(2, index) * (1 - part) + noise(2, index + 1) * part
    }

    private func office(_ hour: Double, _ day: Int) -> Double {
        let open = min(1, max(0, hour - 8)) * min(1, max(0, 18 - hour)) * (1 - 0.4 * max(0, 1 - abs(hour - 12.5)))
        return base * (0.03 + 2.4 * open * character(of: day))
    }

    /// What is counted in so many seconds.
    func count(at time: WallTime, seconds: Double, _ generator: inout SeededGenerator) -> Double {
        generator.poisson(rate(at: time) * seconds / group) * group
    }

    /// Whole buckets of so many days before a moment.
    func history(before time: WallTime, days: Int, _ generator: inout SeededGenerator) -> [BusinessBucket] {
        let width = Int64(BusinessBucket.seconds) * 1_000
        let end = time.milliseconds / width
        return (end - Int64(days) * 288..<end).map { number in
            let middle = WallTime(milliseconds: number * width + width / 2)
            let count = count(at: middle, seconds: Double(BusinessBucket.seconds), &generator)
            return BusinessBucket(
                start: WallTime(milliseconds: number * width), count: count,
                coveredSeconds: Double(BusinessBucket.seconds))
        }
    }
}

/// One metric of one worker, watched by its rule alone.
final class WatchedMetric {
    var rule: BusinessRule
    var demand: SimulatedDemand
    var generator: SeededGenerator
    var now: Moment
    /// What reaches the service of what people want.
    var share = 1.0
    /// The clock of the host is off by so much, milliseconds.
    var clockError: Int64 = 0
    private(set) var changes: [(at: Moment, firing: Bool, drop: Double)] = []
    private var counter = 0.0
    private var latch = Latch(raiseSeconds: 0, clearSeconds: 60)
    private let process = ProcessIdentity(pid: 7, startTicks: 7)

    init(
        _ demand: SimulatedDemand, seed: UInt64, history days: Int, wall: Int64 = 1_699_833_600_000,
        zone: ZoneOffsets? = nil,
        settings: BusinessSettings = BusinessSettings(name: "sign-ups", counter: "signups_total")
    ) {
        self.demand = demand
        generator = SeededGenerator(seed: seed)
        now = Moment(uptime: Uptime(seconds: 5_000), wall: WallTime(milliseconds: wall))
        rule = BusinessRule(settings, service: "registrar", zone: zone ?? demand.zone)
        if days > 0 { rule.load(demand.history(before: now.wall, days: days, &generator)) }
    }

    var isFiring: Bool { latch.firing != nil }

    func step(_ seconds: Double) {
        counter += generator.poisson(demand.rate(at: now.wall) * share * seconds / demand.group) * demand.group
        now.uptime = now.uptime + seconds
        now.wall.milliseconds += Int64(seconds * 1_000)
        var shown = now
        shown.wall.milliseconds += clockError
        let worker = WorkerReading(
            number: 1, process: process, probe: .answered, wasAsked: true,
            counters: WorkerCounters(business: [rule.settings.name: counter]))
        _ = rule.add(ServiceReading(at: shown, workers: [worker], desired: 1)) { _ in false }
        guard let change = latch.take(rule.condition, at: now), change != .severity else { return }
        changes.append((now, change == .raised, rule.impact?.percent ?? 0))
    }

    func run(_ seconds: Double, every step: Double = 20) {
        let end = now.uptime + seconds
        while now.uptime < end { self.step(step) }
    }

    /// Seconds until it fires; nil when it does not.
    func secondsToAlert(atMost seconds: Double, every step: Double = 2) -> Double? {
        let begin = now.uptime
        while now.uptime - begin < seconds {
            self.step(step)
            if isFiring { return now.uptime - begin }
        }
        return nil
    }
}
