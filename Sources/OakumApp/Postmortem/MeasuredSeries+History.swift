import OakumAPI
import OakumModel
import Postmortem

extension MeasuredSeries {
    /// Points wanted in a chart: more are put together.
    private static let mostPoints = 180.0

    /// What is drawn of what was counted: the business first, then failed requests as a share, then requests.
    static func drawn(_ history: History) -> [MeasuredSeries] {
        let measures = history.measures ?? []
        var result = measures.filter { $0.kind == .business }.enumerated().map { index, measure in
            rate(measure, id: "business-\(index + 1)", title: capitalized(measure.name))
        }
        let requests = measures.first { $0.kind == .requests }
        if let requests, let failures = measures.first(where: { $0.kind == .failures }) {
            result.append(share(of: failures, in: requests))
        }
        if let requests { result.append(rate(requests, id: "requests", title: "Requests answered")) }
        return result.filter { $0.points.count > 1 }
    }

    /// A minute, or a second where there are many.
    private static func rate(_ measure: MeasureHistory, id: String, title: String) -> MeasuredSeries {
        let points = thinned(measure.points, to: width(measure.points))
        let most = points.map { $0.count / $0.seconds }.max() ?? 0
        let (unit, factor) = most >= 20 ? ("second", 1.0) : ("minute", 60.0)
        return MeasuredSeries(
            id: id, title: "\(title) a \(unit)", unit: "",
            points: points.map { Point(at: middle($0), value: $0.count / $0.seconds * factor) },
            expected: points.compactMap { point in
                point.expected.map {
                    Band(
                        at: middle(point), low: $0.low / point.seconds * factor, high: $0.high / point.seconds * factor)
                }
            })
    }

    private static func share(of failures: MeasureHistory, in requests: MeasureHistory) -> MeasuredSeries {
        // Of the same stretches of time, however many points each has.
        let width = width(requests.points)
        let failed = Dictionary(thinned(failures.points, to: width).map { ($0.at, $0.count) }) { $1 }
        return MeasuredSeries(
            id: "error-rate", title: "Requests that failed", unit: "%",
            points: thinned(requests.points, to: width).compactMap { point in
                guard point.count > 0, let bad = failed[point.at] else { return nil }
                return Point(at: middle(point), value: min(1, bad / point.count) * 100)
            })
    }

    private static func middle(_ point: MeasurePoint) -> WallTime {
        WallTime(milliseconds: point.at.milliseconds + Int64(point.seconds * 500))
    }

    /// Of the stretches that leave few enough points, milliseconds; nil: they are few enough as they are.
    private static func width(_ points: [MeasurePoint]) -> Int64? {
        guard let first = points.first, let last = points.last, Double(points.count) > mostPoints else { return nil }
        let length = Double(last.at.milliseconds - first.at.milliseconds)
        return max(1_000, Int64((length / mostPoints / 6_000).rounded(.up)) * 6_000)
    }

    /// Points of equal stretches of time, put together. The sum of what was expected has an interval as wide as the sum's
    /// of the parts: wider than it would have to be.
    private static func thinned(_ points: [MeasurePoint], to width: Int64?) -> [MeasurePoint] {
        guard let width else { return points }
        var result: [MeasurePoint] = []
        for point in points {
            let start = WallTime(milliseconds: point.at.milliseconds - point.at.milliseconds % width)
            guard var open = result.last, open.at == start else {
                result.append(point)
                result[result.count - 1].at = start
                continue
            }
            open.seconds += point.seconds
            open.count += point.count
            if let sum = open.expected, let more = point.expected {
                open.expected = Estimate(
                    estimate: sum.estimate + more.estimate, low: sum.low + more.low, high: sum.high + more.high)
            } else {
                open.expected = nil
            }
            result[result.count - 1] = open
        }
        return result
    }

    private static func capitalized(_ name: String) -> String { name.prefix(1).uppercased() + name.dropFirst() }
}
