import Glibc
import OakumModel

/// A series cut down to what a fit needs: at most ``maximum`` points, in the scale its kind is compared in.
struct Reduced {
    /// Enough for an onset to 1/128 of the window; keeps every fit's cost fixed.
    static let maximum = 128
    /// Fewer tell nothing.
    static let minimum = 8

    var times: [Double] = []
    var values: [Double] = []

    var count: Int { times.count }

    /// Seconds between two points, typically.
    var spacing: Double {
        guard count > 1 else { return 0 }
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }.sorted()
        return gaps[gaps.count / 2]
    }

    init(times: [Double], values: [Double]) {
        self.times = times
        self.values = values
    }

    /// - Parameter span: readings outside are left out.
    init(_ points: [SeriesPoint], in span: ClosedRange<Double>, traits: SignalTraits) {
        var kept: [SeriesPoint] = []
        var last = -Double.infinity
        for point in points where span.contains(point.seconds) && point.value.isFinite && point.seconds > last {
            kept.append(point)
            last = point.seconds
        }
        let wanted: Int
        switch traits.reduction {
        // A floor needs a few readings in each bucket, or it is no floor.
        case .floor: wanted = min(Self.maximum, max(30, kept.count / 4))
        case .median, .mean: wanted = Self.maximum
        }
        if kept.count <= wanted {
            times = kept.map(\.seconds)
            values = kept.map(\.value)
        } else {
            fill(
                kept, from: span.lowerBound, width: (span.upperBound - span.lowerBound) / Double(wanted),
                traits.reduction)
        }
        if traits.isLogarithmic { values = values.map { log(max($0, 1e-6)) } }
        if case .median = traits.reduction, values.count >= 60 { values = Self.smoothed(values) }
    }

    /// The part within a span.
    func within(_ span: ClosedRange<Double>) -> Reduced {
        let kept = times.indices.filter { span.contains(times[$0]) }
        return Reduced(times: kept.map { times[$0] }, values: kept.map { values[$0] })
    }

    private mutating func fill(
        _ points: [SeriesPoint], from origin: Double, width: Double, _ reduction: SignalTraits.Reduction
    ) {
        var parts: [ArraySlice<SeriesPoint>] = []
        var start = 0
        while start < points.count {
            let bucket = ((points[start].seconds - origin) / width).rounded(.down)
            var end = start
            while end < points.count, ((points[end].seconds - origin) / width).rounded(.down) == bucket { end += 1 }
            parts.append(points[start..<end])
            start = end
        }
        // The floor of a few readings lies higher than that of many: the ends of a gap would look like a change.
        let usual = parts.map(\.count).sorted()[parts.count / 2]
        for part in parts where reduction != .floor || 2 * part.count > usual {
            let (time, value) = Self.one(part, reduction)
            times.append(time)
            values.append(value)
        }
    }

    private static func one(_ part: ArraySlice<SeriesPoint>, _ reduction: SignalTraits.Reduction) -> (Double, Double) {
        let count = Double(part.count)
        let time = part.map(\.seconds).reduce(0, +) / count
        switch reduction {
        case .floor:
            var lowest = part[part.startIndex]
            for point in part where point.value < lowest.value { lowest = point }
            return (lowest.seconds, lowest.value)
        case .mean: return (time, part.map(\.value).reduce(0, +) / count)
        case .median:
            let sorted = part.map(\.value).sorted()
            return (time, (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2)
        }
    }

    /// The median of three neighbours: single odd readings go, edges stay where they are.
    private static func smoothed(_ values: [Double]) -> [Double] {
        var result = values
        for index in 1..<(values.count - 1) {
            let (left, mid, right) = (values[index - 1], values[index], values[index + 1])
            result[index] = max(min(left, mid), min(max(left, mid), right))
        }
        return result
    }
}
