import OakumModel

/// A small line chart as one SVG file: no script, no outside font or style, light and dark, with a title and a description for
/// who cannot see it. The same values give the same bytes.
struct SVGChart: Sendable {
    enum Axis: Sendable {
        case bytes
        case number(unit: String)
    }

    struct Point: Hashable, Sendable {
        var at: WallTime
        /// Of a bucket, or of an expectation; the same as `high` for single values.
        var low: Double
        var high: Double
    }

    /// Drawn along the high values, the room down to the low ones is tinted.
    struct Line: Sendable {
        var name: String
        /// 0 to 7.
        var color: Int
        var points: [Point]
    }

    /// A horizontal line.
    struct Level: Sendable {
        var name: String
        var value: Double
    }

    /// A vertical line with a number, which the legend explains.
    struct Mark: Sendable {
        enum Kind: String, Sendable {
            case cause
            case harm
            case finding
            case people
            case act
        }

        var at: WallTime
        var name: String
        var kind: Kind
    }

    var title: String
    var description: String
    var axis: Axis
    /// Without any point there is nothing to draw but marks.
    var lines: [Line]
    /// What was expected, behind the lines.
    var band: Line?
    var levels: [Level] = []
    var marks: [Mark] = []
    var time: TimeWords

    /// The most points drawn in all; more are thinned to the extremes of buckets.
    static let pointLimit = 4_000
    /// Names in the legend.
    static let nameLimit = 8

    /// The file. It ends in a comment with its hash, so that an edited one can be told.
    var svg: String {
        let layout = SVGLayout(self)
        var body: [String] = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(Int(SVGLayout.width)) \#(layout.height)" "#
                + #"width="\#(Int(SVGLayout.width))" height="\#(layout.height)" role="img" "#
                + #"aria-labelledby="chart-title chart-description">"#,
            #"<title id="chart-title">\#(SVGText.escaped(title))</title>"#,
            #"<desc id="chart-description">\#(SVGText.escaped(description))</desc>"#,
            SVGText.style,
            #"<rect class="ground" width="\#(Int(SVGLayout.width))" height="\#(layout.height)" rx="6"/>"#,
            SVGText.text(title, x: SVGLayout.left, y: 20, class: "title"),
        ]
        body += layout.axes
        if let band { body += layout.area(band, class: "expected") }
        for line in lines { body += layout.area(line, class: "spread c\(line.color)") }
        for line in lines { body += layout.path(line) }
        body += layout.levels
        body += layout.marks
        body += layout.legend
        body.append("</svg>")
        let text = body.joined(separator: "\n") + "\n"
        return text + "<!-- oakum:chart \(SectionMarker.hash(text.utf8)) -->\n"
    }

    /// Nobody has changed the file since it was made.
    static func isUntouched(_ file: String) -> Bool {
        let lines = file.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard let last = lines.lastIndex(where: { !$0.isEmpty }) else { return false }
        let text = lines[..<last].joined(separator: [0x0A]) + [0x0A]
        var comment = Array(lines[last])
        if comment.last == 0x0D { comment.removeLast() }
        return comment == Array("<!-- oakum:chart \(SectionMarker.hash(text)) -->".utf8)
    }
}

extension PostmortemChart {
    /// A chart of an earlier draft may be replaced, one that a person has edited may not.
    package static func mayReplace(_ existing: String) -> Bool {
        SVGChart.isUntouched(existing)
    }
}
