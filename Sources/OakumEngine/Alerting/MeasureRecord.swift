import AlertRules
import OakumAPI
import OakumModel

/// What was counted of one service over time, for charts: requests, failures, and what the business counts beside what was
/// expected of it. Pure; begins anew with `oakum`.
///
/// Bounded: an hour in slots of six seconds, twelve hours in slots of a minute; the oldest go first. Some 100 KiB a service.
struct MeasureRecord: Sendable {
    private struct Tier: Sendable {
        let width: Int64
        let limit: Int
        var slots: [Slot] = []

        /// A clock that was set back makes a slot that lies before the last: what came after is dropped, as it has no order.
        mutating func slot(at wall: WallTime, _ change: (inout Slot) -> Void) {
            let start = wall.milliseconds - (wall.milliseconds % width + width) % width
            while let last = slots.last, last.start.milliseconds > start { slots.removeLast() }
            if slots.last?.start.milliseconds != start {
                slots.append(Slot(start: WallTime(milliseconds: start)))
                if slots.count > limit { slots.removeFirst(slots.count - limit) }
            }
            change(&slots[slots.count - 1])
        }
    }

    private struct Slot: Sendable {
        var start: WallTime
        var counts: [MeasureName: Count] = [:]
    }

    private struct Count: Sendable {
        var amount = 0.0
        var seconds = 0.0
        var rate: BusinessExpectation.Rate?
    }

    private struct MeasureName: Hashable, Sendable {
        var kind: MeasureKind
        var name: String
    }

    private var flows: [MeasureName: BusinessFlow] = [:]
    private var fine = Tier(width: 6_000, limit: 600)
    private var coarse = Tier(width: 60_000, limit: 720)

    /// - Parameter expected: of what the business counts, by its name: what is expected of it now.
    mutating func add(_ reading: ServiceReading, expected: (String) -> BusinessExpectation.Rate?) {
        note(MeasureName(kind: .requests, name: "requests"), reading, nil) { $0.requests }
        note(MeasureName(kind: .failures, name: "failed requests"), reading, nil) { $0.failures }
        let told = Set(reading.workers.flatMap { $0.counters?.business.keys.map(\.self) ?? [] })
        for name in told.union(flows.keys.filter { $0.kind == .business }.map(\.name)) {
            note(MeasureName(kind: .business, name: name), reading, expected(name)) { $0.business[name] }
        }
    }

    private mutating func note(
        _ name: MeasureName, _ reading: ServiceReading, _ rate: BusinessExpectation.Rate?,
        _ value: (WorkerCounters) -> Double?
    ) {
        // What no worker ever told is not measured, and no zero.
        guard flows[name] != nil || reading.workers.contains(where: { $0.counters.flatMap(value) != nil }) else {
            return
        }
        let step = flows[name, default: BusinessFlow()].add(reading, value: value) { $0.probe == .failed }
        guard case .known(let span) = step else { return }
        let change: (inout Slot) -> Void = { slot in
            var count = slot.counts[name] ?? Count()
            count.amount += span.count
            count.seconds += span.until.uptime - span.from.uptime
            count.rate = rate ?? count.rate
            slot.counts[name] = count
        }
        fine.slot(at: span.until.wall, change)
        coarse.slot(at: span.until.wall, change)
    }

    /// Rising in time. As fine as is kept of the whole time asked for.
    func series(since: WallTime) -> [MeasureHistory] {
        let isFine = fine.slots.first.map { $0.start <= since } ?? true || fine.slots.count < fine.limit
        let slots = (isFine ? fine : coarse).slots.filter { $0.start >= since }
        let names = Set(slots.flatMap(\.counts.keys)).sorted {
            ($0.kind.rawValue, $0.name) < ($1.kind.rawValue, $1.name)
        }
        return names.map { name in
            MeasureHistory(
                kind: name.kind, name: name.name,
                points: slots.compactMap { slot in
                    guard let count = slot.counts[name], count.seconds > 0 else { return nil }
                    return MeasurePoint(
                        at: slot.start, seconds: count.seconds, count: count.amount,
                        expected: count.rate.map { $0.estimate($0.perSecond * count.seconds) })
                })
        }
    }
}
