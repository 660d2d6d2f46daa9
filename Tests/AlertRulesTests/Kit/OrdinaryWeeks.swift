import AlertRules
import OakumModel

/// Demand with nothing wrong about it, in many shapes: what an alarm on it would be a false one of.
struct OrdinaryWeeks {
    /// How the day goes.
    enum Shape: CaseIterable {
        case smooth
        /// Office hours, and hardly anything else; weekends at a twentieth.
        case office
        /// A peak fourteen times its trough.
        case steep
        /// People come in dozens.
        case bursts
        /// With a change to winter time in the second week.
        case clockChange
    }

    var shape: Shape
    /// Events a second at the average hour.
    var base: Double
    /// Earlier days that are known.
    var history: Int
    /// Weekends, as a share of working days.
    var weekend: Double
    /// How much days and half hours differ.
    var unrest: (days: Double, hours: Double)
    var seed: UInt64

    /// Monday, 13 November 2023, 00:00 UTC.
    static let monday: Int64 = 1_699_833_600_000

    /// All shapes, rates and histories; what else differs goes with the number of the repetition.
    static func all(repetitions: Int, bases: [Double], histories: [Int], shapes: [Shape]) -> [OrdinaryWeeks] {
        var result: [OrdinaryWeeks] = []
        for repetition in 0..<repetitions {
            for shape in shapes {
                for base in bases {
                    for history in histories {
                        let number = result.count
                        result.append(
                            OrdinaryWeeks(
                                shape: shape, base: base, history: history,
                                weekend: [0.5, 0.3, 0.8, 0.15][number % 4],
                                unrest: [(0.05, 0.03), (0.08, 0.06), (0.15, 0.12)][(number + repetition) % 3],
                                seed: UInt64(number) * 7_919 + 1))
                    }
                }
            }
        }
        return result
    }

    /// - Parameter holidays: days from the first one on, each with the share of itself that it is like.
    func demand(holidays: [Int: Double] = [:], first: Int64 = monday) -> SimulatedDemand {
        var demand = SimulatedDemand(base: base, seed: seed)
        demand.weekend = weekend
        (demand.days, demand.hours) = unrest
        switch shape {
        case .smooth: break
        case .office: (demand.isOffice, demand.weekend) = (true, 0.05)
        case .steep: demand.swing = 0.84
        case .bursts: demand.group = 12
        case .clockChange:
            let change = WallTime(milliseconds: Self.monday + 9 * 86_400_000 + 3_600_000)
            demand.zone = ZoneOffsets([
                .init(from: WallTime(milliseconds: 0), seconds: 7_200), .init(from: change, seconds: 3_600),
            ])
        }
        let today = Int(first / 86_400_000)
        demand.holidays = Dictionary(uniqueKeysWithValues: holidays.map { (today + $0.key, $0.value) })
        return demand
    }

    /// Times an alarm was raised in so many days.
    func alarms(days: Double, every step: Double, first: Int64 = monday, holidays: [Int: Double] = [:]) -> Int {
        let demand = demand(holidays: holidays, first: first)
        let metric = WatchedMetric(demand, seed: seed, history: history, wall: first)
        metric.run(days * 86_400, every: step)
        return metric.changes.count { $0.firing }
    }
}

/// Part of the demand stays away, from half past ten on a Wednesday, with a month of history behind it.
struct DropCase {
    /// Expected a second, then.
    var rate: Double
    /// How much days and half hours differ.
    var unrest: (days: Double, hours: Double)
    /// What is left.
    var share: Double

    /// Seconds until it is told, of each seed that had no alarm beforehand; nil: not within the limit.
    func delays(seeds: ClosedRange<UInt64>, limit: Double = 14_400) -> [Double?] {
        seeds.compactMap { seed -> Double?? in
            var demand = SimulatedDemand(base: 1, seed: seed * 31)
            (demand.days, demand.hours) = unrest
            let begin = WallTime(milliseconds: OrdinaryWeeks.monday + 2 * 86_400_000 + 37_800_000)
            demand.base = rate / demand.rate(at: begin)
            let metric = WatchedMetric(demand, seed: seed, history: 28, wall: begin.milliseconds - 7_200_000)
            metric.run(7_200, every: 10)
            guard metric.changes.isEmpty else { return nil }
            metric.share = share
            return .some(metric.secondsToAlert(atMost: limit))
        }
    }

    /// The middle one; nil: it is not told within the limit.
    static func median(_ delays: [Double?]) -> Double? {
        let sorted = delays.map { $0 ?? .infinity }.sorted()
        guard !sorted.isEmpty else { return nil }
        let middle = sorted[sorted.count / 2]
        return middle.isFinite ? middle : nil
    }
}
