import OakumModel

/// Where values lie, and which of them are written at the axes.
struct SVGScale: Sendable {
    struct Tick: Hashable, Sendable {
        var position: Double
        var label: String
    }

    let from: WallTime
    let until: WallTime
    let top: Double
    let bottom: Double

    init(_ chart: SVGChart) {
        let points = (chart.lines + [chart.band].compactMap { $0 }).flatMap(\.points)
        let times = points.map(\.at) + chart.marks.map(\.at)
        let first = times.min() ?? WallTime(milliseconds: 0)
        let last = times.max() ?? first
        let isWide = Double(last.milliseconds) - Double(first.milliseconds) >= 1_000
        from = first
        until = isWide ? last : WallTime(milliseconds: first.milliseconds &+ 1_000)
        let values = (points.flatMap { [$0.low, $0.high] } + chart.levels.map(\.value)).filter(\.isFinite)
        bottom = min(0, values.min() ?? 0)
        let highest = max(values.max() ?? 0, bottom)
        // Room above, so that no line hides behind the edge.
        top = highest > bottom ? bottom + (highest - bottom) * 1.08 : bottom + 1
    }

    var seconds: Double { (Double(until.milliseconds) - Double(from.milliseconds)) / 1_000 }

    /// 0 at the left, 1 at the right.
    func x(_ at: WallTime) -> Double {
        (Double(at.milliseconds) - Double(from.milliseconds)) / 1_000 / seconds
    }

    /// 0 at the bottom, 1 at the top.
    func y(_ value: Double) -> Double {
        guard value.isFinite else { return 0 }
        return min(max((value - bottom) / (top - bottom), 0), 1)
    }

    // MARK: - Ticks

    func valueTicks(_ axis: SVGChart.Axis) -> [Tick] {
        switch axis {
        case .bytes:
            var step = 1.0
            while (top - bottom) / step > 5 { step *= 2 }
            return ticks(step) { ByteCount(Int64($0)).description.replacingFirst(".0 ", with: " ") }
        case .number(let unit):
            let (step, digits) = Self.decimalStep((top - bottom) / 5)
            let suffix = unit.isEmpty ? "" : " \(unit)"
            return ticks(step) { Amount.fixed($0, digits) + suffix }
        }
    }

    private func ticks(_ step: Double, label: (Double) -> String) -> [Tick] {
        let first = (bottom / step).rounded(.up)
        let count = Int(min(20, ((top - bottom) / step).rounded(.up)))
        return (0...count).map { (first + Double($0)) * step }.filter { $0 <= top }.map {
            Tick(position: y($0), label: label($0))
        }
    }

    /// The next of 1, 2, 5, 10, 20, … above the least, with the decimals it needs.
    static func decimalStep(_ least: Double) -> (Double, Int) {
        var (unit, digits) = (1.0, 0)
        while unit < least, unit < 1e15 { unit *= 10 }
        while unit / 10 >= least, digits < 3 {
            unit /= 10
            digits += 1
        }
        if unit / 5 >= least { return (unit / 5, digits + (unit <= 1 ? 1 : 0)) }
        if unit / 2 >= least { return (unit / 2, digits + (unit <= 1 ? 1 : 0)) }
        return (unit, digits)
    }

    private static let timeSteps = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
        604_800, 2_419_200, 7_257_600, 31_536_000,
    ]

    /// At round times of the zone's clock, at most eight.
    func timeTicks(_ time: TimeWords) -> [Tick] {
        let step = Self.timeSteps.first { seconds / Double($0) <= 7 } ?? Int((seconds / 7).rounded(.up))
        let offset = time.offsetSeconds(from)
        let first = CivilTime.floorDivision(Int(from.milliseconds) + 999, 1_000) + offset
        var local = CivilTime.floorDivision(first + step - 1, step) * step
        var result: [Tick] = []
        while result.count < 8 {
            let at = WallTime(milliseconds: Int64(local - offset) * 1_000)
            guard at <= until else { break }
            let civil = time.civil(at)
            let label = step >= 86_400 ? civil.date : step < 60 ? civil.clock : civil.minutes
            result.append(Tick(position: x(at), label: label))
            local += step
        }
        return result
    }
}

extension String {
    fileprivate func replacingFirst(_ text: String, with other: String) -> String {
        guard let range = firstRange(of: text) else { return self }
        return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
