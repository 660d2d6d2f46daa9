import OakumModel

/// Where the parts of a chart are drawn.
struct SVGLayout: Sendable {
    static let width = 800.0
    static let left = 76.0
    private static let right = 770.0
    private static let plotHeight = 220.0
    /// Numbers of marks that are close stand above each other, in so many rows.
    private static let markRows = 4
    private static let rowHeight = 16.0

    private let chart: SVGChart
    private let scale: SVGScale
    /// The row of each mark's number.
    private let rows: [Int]
    private let top: Double
    private let legendRows: [[LegendItem]]

    private struct LegendItem {
        enum Symbol {
            case line(Int)
            case expected
            case number(Int, SVGChart.Mark.Kind)
            case none
        }

        var symbol: Symbol
        var text: String
        var width: Double { 24 + SVGText.width(text) + 14 }
    }

    init(_ chart: SVGChart) {
        var chart = chart
        chart.marks.sort { ($0.at, $0.name) < ($1.at, $1.name) }
        let scale = SVGScale(chart)
        self.chart = chart
        self.scale = scale
        rows = Self.rows(chart.marks.map { Self.x($0.at, scale) })
        top = 32 + Double((rows.max() ?? -1) + 1) * Self.rowHeight
        legendRows = Self.wrapped(Self.lineItems(chart)) + Self.wrapped(Self.markItems(chart))
    }

    private var bottom: Double { top + Self.plotHeight }

    var height: Int { Int(bottom + 48 + Double(legendRows.count) * 18) }

    private static func x(_ at: WallTime, _ scale: SVGScale) -> Double {
        left + scale.x(at) * (right - left)
    }

    private func x(_ at: WallTime) -> Double { Self.x(at, scale) }

    private func y(_ value: Double) -> Double { bottom - scale.y(value) * Self.plotHeight }

    /// The lowest row where a number does not cover the one before it.
    private static func rows(_ positions: [Double]) -> [Int] {
        var last = [Double](repeating: -100, count: markRows)
        return positions.map { x in
            let free = last.firstIndex { x - $0 >= 16 }
            let row = free ?? last.indices.min { last[$0] < last[$1] } ?? 0
            last[row] = x
            return row
        }
    }

    // MARK: - Axes

    var axes: [String] {
        var result: [String] = []
        for tick in scale.valueTicks(chart.axis) {
            let y = bottom - tick.position * Self.plotHeight
            result.append(SVGText.line(Self.left, y, Self.right, y, class: "grid"))
            result.append(SVGText.text(tick.label, x: Self.left - 8, y: y + 4, class: "tick", anchor: .end))
        }
        for tick in scale.timeTicks(chart.time) {
            let x = Self.left + tick.position * (Self.right - Self.left)
            result.append(SVGText.line(x, bottom, x, bottom + 5, class: "axis"))
            result.append(SVGText.text(tick.label, x: x, y: bottom + 19, class: "tick", anchor: .middle))
        }
        result.append(SVGText.line(Self.left, bottom, Self.right, bottom, class: "axis"))
        let (from, until) = (chart.time.date(scale.from), chart.time.date(scale.until))
        let dates = from == until ? from : "\(from) to \(until)"
        result.append(
            SVGText.text(
                "Time (\(chart.time.column)), \(dates)", x: Self.right, y: bottom + 36, class: "tick", anchor: .end))
        return result
    }

    // MARK: - Values

    /// Each line gets its part of the points that are drawn in all.
    private var pointsPerLine: Int {
        max(16, SVGChart.pointLimit / max(1, chart.lines.count + (chart.band == nil ? 0 : 1)))
    }

    private func thinned(_ line: SVGChart.Line) -> [SVGChart.Point] {
        let points = line.points.filter { $0.low.isFinite && $0.high.isFinite }.sorted { $0.at < $1.at }
        guard points.count > pointsPerLine else { return points }
        let size = (points.count + pointsPerLine - 1) / pointsPerLine
        return stride(from: 0, to: points.count, by: size).map { start in
            let bucket = points[start..<min(start + size, points.count)]
            return bucket.dropFirst().reduce(points[start]) { one, next in
                SVGChart.Point(at: one.at, low: min(one.low, next.low), high: max(one.high, next.high))
            }
        }
    }

    func path(_ line: SVGChart.Line) -> [String] {
        let points = thinned(line)
        guard let first = points.first else { return [] }
        guard points.count > 1 else {
            let (x, y) = (SVGText.number(x(first.at)), SVGText.number(y(first.high)))
            return [#"<path class="c\#(line.color)" d="M\#(x) \#(y)h3"/>"#]
        }
        return [#"<path class="c\#(line.color)" d="\#(Self.path(points.map { (x($0.at), y($0.high)) }))"/>"#]
    }

    func area(_ line: SVGChart.Line, class name: String) -> [String] {
        let points = thinned(line)
        guard points.count > 1, points.contains(where: { $0.low < $0.high }) else { return [] }
        let outline = points.map { (x($0.at), y($0.high)) } + points.reversed().map { (x($0.at), y($0.low)) }
        return [#"<path class="\#(name)" d="\#(Self.path(outline))Z"/>"#]
    }

    private static func path(_ points: [(Double, Double)]) -> String {
        points.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(SVGText.number(point.0)) \(SVGText.number(point.1))"
        }.joined()
    }

    var levels: [String] {
        chart.levels.filter(\.value.isFinite).flatMap { level in
            [
                SVGText.line(Self.left, y(level.value), Self.right, y(level.value), class: "level"),
                SVGText.text(
                    level.name, x: Self.right - 4, y: y(level.value) - 5, class: "leveltext", anchor: .end),
            ]
        }
    }

    // MARK: - Marks and legend

    var marks: [String] {
        zip(chart.marks, rows).enumerated().flatMap { index, pair in
            let (mark, row) = pair
            let x = x(mark.at)
            let y = top - 9 - Double(row) * Self.rowHeight
            return [
                SVGText.line(x, y, x, bottom, class: "mark \(mark.kind.rawValue)")
            ] + number(index + 1, mark.kind, x: x, y: y)
        }
    }

    private func number(_ number: Int, _ kind: SVGChart.Mark.Kind, x: Double, y: Double) -> [String] {
        [
            #"<circle class="\#(kind.rawValue)" cx="\#(SVGText.number(x))" cy="\#(SVGText.number(y))" r="7.5"/>"#,
            SVGText.text("\(number)", x: x, y: y + 3.5, class: "number", anchor: .middle),
        ]
    }

    private static func lineItems(_ chart: SVGChart) -> [LegendItem] {
        var seen: Set<String> = []
        let named = chart.lines.filter { seen.insert($0.name).inserted }
        var items = named.prefix(SVGChart.nameLimit).map { LegendItem(symbol: .line($0.color), text: $0.name) }
        if named.count > items.count {
            items.append(LegendItem(symbol: .none, text: "+ \(named.count - items.count) more"))
        }
        if let band = chart.band { items.append(LegendItem(symbol: .expected, text: band.name)) }
        return items
    }

    private static func markItems(_ chart: SVGChart) -> [LegendItem] {
        chart.marks.enumerated().map { index, mark in
            LegendItem(symbol: .number(index + 1, mark.kind), text: "\(mark.name) \(chart.time.row(mark.at))")
        }
    }

    private static func wrapped(_ items: [LegendItem]) -> [[LegendItem]] {
        var result: [[LegendItem]] = []
        var x = right
        for item in items {
            if x + item.width > right {
                result.append([])
                x = left
            }
            result[result.count - 1].append(item)
            x += item.width
        }
        return result
    }

    var legend: [String] {
        var result: [String] = []
        for (row, items) in legendRows.enumerated() {
            var x = Self.left
            let y = bottom + 58 + Double(row) * 18
            for item in items {
                result += symbol(item, x: x, y: y - 4)
                result.append(SVGText.text(item.text, x: x + 24, y: y, class: "name"))
                x += item.width
            }
        }
        return result
    }

    private func symbol(_ item: LegendItem, x: Double, y: Double) -> [String] {
        switch item.symbol {
        case .line(let color): [SVGText.line(x, y, x + 18, y, class: "series c\(color)")]
        case .expected:
            [
                #"<rect class="expected" x="\#(SVGText.number(x))" y="\#(SVGText.number(y - 5))" width="18" height="10"/>"#
            ]
        case .number(let number, let kind): self.number(number, kind, x: x + 9, y: y)
        case .none: []
        }
    }
}
