import OakumAPI
import OakumModel

/// Memory over time as a drawing in the page itself: it needs no script, and can be printed.
struct MemoryPlot {
    struct Mark {
        var name: String
        var at: WallTime
    }

    var history: History
    var marks: [Mark]

    private static let width = 760.0
    private static let height = 220.0
    private static let left = 64.0
    private static let top = 26.0
    private static let bottom = 24.0
    /// Lines that are drawn; a service with more workers shows those that grew highest.
    private static let lines = 12

    /// Nothing without at least two readings.
    var markup: Markup {
        let workers = history.workers.filter { $0.points.count > 1 }
            .sorted { Self.peak($0) > Self.peak($1) }.prefix(Self.lines)
        let times = workers.flatMap { $0.points.map(\.at.milliseconds) }
        guard let from = times.min(), let until = times.max(), until > from else { return "" }
        let scale = Scale(
            from: Double(from), until: Double(until),
            most: Double(max(history.budget.bytes, workers.map(Self.peak).max() ?? 1)) * 1.08)
        let lines: [Markup] = workers.map { line($0, scale) }
        return """
            <figure class="memory-plot"><svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" \
            aria-label="\(label(scale))">
            \(grid(scale))
            \(budget(scale))
            \(marks.compactMap { mark($0, scale) })
            \(lines)
            </svg><figcaption>Memory of the workers of \(history.service), from \
            \(IncidentShown.time(WallTime(milliseconds: from))) to \(IncidentShown.time(WallTime(milliseconds: until)))\
            </figcaption></figure>
            """
    }

    private struct Scale {
        var from: Double
        var until: Double
        var most: Double

        func x(_ milliseconds: Double) -> Double {
            left + (milliseconds - from) / (until - from) * (width - left - 8)
        }
        func y(_ bytes: Double) -> Double {
            let room = height - top - bottom
            return height - bottom - min(max(bytes / most, 0), 1) * room
        }
    }

    private static func peak(_ worker: WorkerHistory) -> Int64 { worker.points.map(\.peak.bytes).max() ?? 0 }

    private func label(_ scale: Scale) -> String {
        let peak = history.workers.map(Self.peak).max() ?? 0
        return "Memory of the workers of \(history.service): at most \(ByteCount(peak)), the budget is "
            + Shown.limit(history.budget)
    }

    private func line(_ worker: WorkerHistory, _ scale: Scale) -> Markup {
        let points = worker.points.map { point in
            "\(Shown.tenths(scale.x(Double(point.at.milliseconds)))),\(Shown.tenths(scale.y(Double(point.peak.bytes))))"
        }
        return """
            <polyline class="plot-line" data-colour="\(worker.number % 8)" points="\(points.joined(separator: " "))">\
            <title>Worker \(worker.number)</title></polyline>

            """
    }

    private func grid(_ scale: Scale) -> Markup {
        var step = 1_048_576.0
        while scale.most / step > 5 { step *= 2 }
        let values = stride(from: 0, through: scale.most, by: step)
        let lines: [Markup] = values.map { value in
            let y = Shown.tenths(scale.y(value))
            return """
                <line class="plot-grid" x1="\(Int(Self.left))" x2="\(Int(Self.width))" y1="\(y)" y2="\(y)"/>\
                <text class="plot-text" x="\(Int(Self.left) - 6)" y="\(y)" text-anchor="end" dominant-baseline="middle">\
                \(value == 0 ? "0" : Shown.limit(ByteCount(Int64(value))))</text>

                """
        }
        return Markup.joined(lines)
    }

    private func budget(_ scale: Scale) -> Markup {
        guard history.budget.bytes > 0 else { return "" }
        let y = Shown.tenths(scale.y(Double(history.budget.bytes)))
        return """
            <line class="plot-budget" x1="\(Int(Self.left))" x2="\(Int(Self.width))" y1="\(y)" y2="\(y)"/>\
            <text class="plot-budget-text" x="\(Int(Self.width) - 4)" y="\(y)" dy="-4" text-anchor="end">budget</text>
            """
    }

    /// Nil outside of what is shown.
    private func mark(_ mark: Mark, _ scale: Scale) -> Markup? {
        let at = Double(mark.at.milliseconds)
        guard at >= scale.from, at <= scale.until else { return nil }
        let x = Shown.tenths(scale.x(at))
        return """
            <line class="plot-mark" data-mark="\(mark.name)" x1="\(x)" x2="\(x)" y1="\(Int(Self.top) - 8)" \
            y2="\(Int(Self.height - Self.bottom))"/>\
            <text class="plot-text" data-mark="\(mark.name)" x="\(x)" y="\(Int(Self.top) - 12)" text-anchor="middle">\
            \(mark.name)</text>

            """
    }
}
