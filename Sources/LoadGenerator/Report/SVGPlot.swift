import Glibc

/// A line plot as SVG: no script, nothing from elsewhere.
package struct SVGPlot {
    package struct Line {
        var name: String
        /// Class of the page's style: its colour.
        var style: String
        var points: [(x: Double, y: Double)]

        package init(name: String, style: String, points: [(x: Double, y: Double)]) {
            self.name = name
            self.style = style
            self.points = points
        }
    }

    package enum Axis {
        case linear
        /// Percentiles: each nine gets as much room as the one before.
        case nines
    }

    var title: String
    var lines: [Line]
    var xAxis = Axis.linear
    /// Ticks are round numbers of this unit.
    var yUnit = 1.0
    var xText: (Double) -> String
    var yText: (Double) -> String

    /// - Parameters:
    ///   - yUnit: ticks are round numbers of this unit.
    ///   - xText: what a place on the axis is called.
    ///   - yText: the same for heights, from 0 up.
    package init(
        title: String, lines: [Line], xAxis: Axis = .linear, yUnit: Double = 1, xText: @escaping (Double) -> String,
        yText: @escaping (Double) -> String
    ) {
        self.title = title
        self.lines = lines
        self.xAxis = xAxis
        self.yUnit = yUnit
        self.xText = xText
        self.yText = yText
    }

    private static let width = 860.0
    private static let height = 240.0
    private static let left = 74.0
    private static let right = 14.0
    private static let top = 12.0
    private static let bottom = 28.0
    /// More points than that show nothing more; of those that fall together the highest stays.
    private static let pointLimit = 800

    package func render() -> String {
        let all = lines.flatMap(\.points)
        guard let xMost = all.map({ place($0.x) }).max(), let yMost = all.map(\.y).max() else {
            return "<p class=\"none\">\(XMLText.content(title)): nothing was measured.</p>"
        }
        let xLimit = max(xMost, 1e-9)
        let rounded = Self.ticks(to: max(yMost / yUnit, 1e-9))
        let (yTicks, yLimit) = (rounded.values.map { $0 * yUnit }, rounded.limit * yUnit)
        let plotWidth = Self.width - Self.left - Self.right
        let plotHeight = Self.height - Self.top - Self.bottom
        func x(_ value: Double) -> Double { Self.left + place(value) / xLimit * plotWidth }
        func y(_ value: Double) -> Double { Self.top + (1 - value / yLimit) * plotHeight }
        var parts = [
            "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(XMLText.attribute(title))\">"
        ]
        for tick in yTicks {
            parts.append(
                "<line class=\"grid\" x1=\"\(c(Self.left))\" x2=\"\(c(Self.width - Self.right))\" y1=\"\(c(y(tick)))\" y2=\"\(c(y(tick)))\"/>"
            )
            parts.append(
                "<text class=\"y\" x=\"\(c(Self.left - 6))\" y=\"\(c(y(tick) + 4))\">\(XMLText.content(yText(tick)))</text>"
            )
        }
        for tick in xTicks(xLimit) {
            parts.append(
                "<text class=\"x\" x=\"\(c(x(tick)))\" y=\"\(c(Self.height - 8))\">\(XMLText.content(xText(tick)))</text>"
            )
        }
        for line in lines where !line.points.isEmpty {
            let points = Self.thinned(line.points).map { "\(c(x($0.x))),\(c(y($0.y)))" }.joined(separator: " ")
            parts.append(
                "<polyline class=\"\(line.style)\" points=\"\(points)\"><title>\(XMLText.content(line.name))</title></polyline>"
            )
        }
        parts.append("</svg>")
        return parts.joined(separator: "\n")
    }

    package var legend: String {
        let items = lines.filter { !$0.points.isEmpty }.map {
            "<li><span class=\"key \($0.style)\"></span>\(XMLText.content($0.name))</li>"
        }
        return items.isEmpty ? "" : "<ul class=\"legend\">" + items.joined() + "</ul>"
    }

    private func place(_ x: Double) -> Double {
        switch xAxis {
        case .linear: x
        case .nines: -log10(max(1 - min(x, 100) / 100, 1e-6))
        }
    }

    private func xTicks(_ limit: Double) -> [Double] {
        switch xAxis {
        case .linear: Self.ticks(to: limit).values.filter { $0 <= limit }
        case .nines: [0, 50, 90, 99, 99.9, 99.99, 99.999].filter { place($0) <= limit }
        }
    }

    /// Four to eight round values from 0 on, and the one that is not below `most`.
    static func ticks(to most: Double) -> (values: [Double], limit: Double) {
        let rough = most / 5
        let power = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
        let count = Int((most / step).rounded(.up))
        return ((0...max(count, 1)).map { Double($0) * step }, Double(max(count, 1)) * step)
    }

    private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        guard points.count > pointLimit else { return points }
        let size = (points.count + pointLimit - 1) / pointLimit
        return stride(from: 0, to: points.count, by: size).compactMap { start in
            points[start..<min(start + size, points.count)].max { $0.y < $1.y }
        }
    }

    /// A coordinate with one digit behind the point.
    private func c(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0
            ? "\(tenths / 10)" : "\(tenths < 0 && tenths > -10 ? "-" : "")\(tenths / 10).\(abs(tenths % 10))"
    }
}
