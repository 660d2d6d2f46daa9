package import OakumModel

/// A series read from a CSV file.
package struct RecordedSeries: Hashable, Sendable {
    /// The file's name or the labels it stands for.
    package var name: String
    /// The column the values come from: `rss_bytes`, `memory_percent`, …
    package var column: String
    package var unit: SeriesUnit
    /// In order of time. Seconds count from the first reading when the file has dates, else as the file says.
    package var points: [SeriesPoint]
    /// The first time as written, when the file has dates.
    package var firstTime: String?
    /// What was put right or left out while reading, in words.
    package var remarks: [String]

    package init(
        name: String, column: String, unit: SeriesUnit, points: [SeriesPoint], firstTime: String? = nil,
        remarks: [String] = []
    ) {
        self.name = name
        self.column = column
        self.unit = unit
        self.points = points
        self.firstTime = firstTime
        self.remarks = remarks
    }
}

/// Why a CSV file cannot be read: where, what, and what to do.
package struct CSVProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1; the header is line 1 when nothing stands before it.
    package var line: Int
    package var problem: String
    package var hint: String

    package var description: String { "line \(line): \(problem). \(hint)" }
}

/// Reads the CSV of recorded series: the first column is `seconds` or `time` (RFC 3339), the others carry their unit at
/// the end of their name (`rss_bytes`, `memory_percent`, `requests_total`).
///
/// Tolerated: a byte order mark, CRLF, blank lines, lines that begin with `#`, quoted fields without commas, empty
/// values (a reading that is missing is left out, never zero), times out of order (sorted, and said).
/// Not tolerated, since the result would be a guess: another number of fields than in the header, text where a number
/// belongs, columns without a unit. One pass over the bytes; memory is 24 bytes a reading.
package struct SeriesReader: Sendable {
    /// More than any sane recording; a longer file is refused rather than cut.
    package static let mostPoints = 50_000_000
    static let mostColumns = 256

    /// The column to read; nil takes the best for memory: anonymous, resident, other bytes, percent.
    package var wanted: String?

    package init(wanted: String? = nil) {
        self.wanted = wanted
    }

    package func read(_ bytes: [UInt8], name: String) throws(CSVProblem) -> RecordedSeries {
        var lines = CSVLines(bytes)
        guard let header = lines.next() else {
            throw CSVProblem(
                line: 1, problem: "the file is empty",
                hint: "Expected a header such as seconds,rss_bytes and a line for each reading")
        }
        let columns = try Columns(
            header.fields.map { String(decoding: bytes[$0], as: UTF8.self) }, header.number, wanted)
        var rows = RowReader(columns: columns, bytes: bytes)
        while let line = lines.next() {
            try rows.take(line)
        }
        return rows.series(name: name)
    }
}

/// Which column is what.
struct Columns {
    let names: [String]
    let hasDates: Bool
    let value: Int
    let work: Int?
    let unit: SeriesUnit

    init(_ raw: [String], _ line: Int, _ wanted: String?) throws(CSVProblem) {
        let names = raw.map { $0.lowercased() }
        self.names = names
        guard names.count <= SeriesReader.mostColumns else {
            throw CSVProblem(
                line: line, problem: "\(names.count) columns",
                hint: "At most \(SeriesReader.mostColumns) are read; keep the time and the memory")
        }
        guard let first = names.first, first == "seconds" || first == "time" else {
            throw CSVProblem(
                line: line, problem: "the first column is called \"\(Self.short(raw.first ?? ""))\"",
                hint: "Call it seconds (a number) or time (RFC 3339, such as 2023-11-10T10:00:00-05:00)")
        }
        hasDates = first == "time"
        let choice: Int? =
            if let wanted {
                names.indices.dropFirst().first { names[$0] == wanted.lowercased() }
            } else {
                names.indices.dropFirst().filter { Self.rank(names[$0]) != nil }
                    .min { (Self.rank(names[$0]) ?? 9, $0) < (Self.rank(names[$1]) ?? 9, $1) }
            }
        guard let choice, Self.rank(names[choice]) != nil else {
            let have = names.dropFirst().prefix(8).map(Self.short).joined(separator: ", ")
            throw CSVProblem(
                line: line,
                problem: wanted.map { "no memory column called \(Self.short($0))" }
                    ?? "no column holds memory (found: \(have.isEmpty ? "none" : have))",
                hint: "Name it with its unit at the end: rss_bytes, anon_bytes or memory_percent")
        }
        value = choice
        unit = names[choice].hasSuffix("_percent") ? .percent : .bytes
        work =
            names.firstIndex(of: "requests_total")
            ?? names.indices.dropFirst().first { names[$0].hasSuffix("_total") }
    }

    /// Smaller is better; nil is not memory.
    private static func rank(_ name: String) -> Int? {
        switch name {
        case "anon_bytes": 0
        case "rss_bytes": 1
        case "memory_percent": 3
        default: name.hasSuffix("_bytes") ? 2 : name.hasSuffix("_percent") ? 4 : nil
        }
    }

    static func short(_ text: String) -> String {
        let clean = text.unicodeScalars.prefix(40).map { $0.value < 32 || $0.value == 127 ? "?" : String($0) }
        return clean.joined()
    }
}

/// Turns lines into points.
private struct RowReader {
    let columns: Columns
    let bytes: [UInt8]
    private var points: [SeriesPoint] = []
    private var missing = 0
    private var unordered = 0
    private var origin: Double?
    private var firstTime: String?

    init(columns: Columns, bytes: [UInt8]) {
        self.columns = columns
        self.bytes = bytes
    }

    mutating func take(_ line: CSVLines.Line) throws(CSVProblem) {
        guard line.fields.count == columns.names.count else {
            throw CSVProblem(
                line: line.number, problem: "\(line.fields.count) fields where the header has \(columns.names.count)",
                hint: "Each line needs one field for each column; leave a missing value empty")
        }
        let seconds = try time(line)
        guard let value = try number(line, columns.value) else {
            missing += 1
            return
        }
        let work: Double? = if let column = columns.work { try number(line, column) } else { nil }
        if let last = points.last, seconds < last.seconds { unordered += 1 }
        guard points.count < SeriesReader.mostPoints else {
            throw CSVProblem(
                line: line.number, problem: "more than \(SeriesReader.mostPoints) readings",
                hint: "Split the file or thin the readings out")
        }
        points.append(SeriesPoint(seconds: seconds, value: value, work: work))
    }

    mutating func series(name: String) -> RecordedSeries {
        var remarks: [String] = []
        if missing > 0 { remarks.append("\(missing) lines without a value were left out") }
        if unordered > 0 {
            remarks.append("\(unordered) lines were earlier than the line before: sorted by time")
            // By time and then by place: sort is not promised to be stable.
            points = points.enumerated().sorted { ($0.element.seconds, $0.offset) < ($1.element.seconds, $1.offset) }
                .map(\.element)
        }
        return RecordedSeries(
            name: name, column: columns.names[columns.value], unit: columns.unit, points: points, firstTime: firstTime,
            remarks: remarks)
    }

    private mutating func time(_ line: CSVLines.Line) throws(CSVProblem) -> Double {
        let field = line.fields[0]
        guard columns.hasDates else {
            if let seconds = try number(line, 0) { return seconds }
            throw CSVProblem(line: line.number, problem: "no time", hint: "Every line needs a number of seconds first")
        }
        let text = String(decoding: bytes[field], as: UTF8.self)
        guard let seconds = RFC3339.secondsSince1970(text) else {
            throw CSVProblem(
                line: line.number, problem: "\"\(Columns.short(text))\" is no RFC 3339 time",
                hint: "Write it as 2023-11-10T10:00:00Z or with an offset, or call the column seconds and give numbers")
        }
        if origin == nil {
            origin = seconds
            firstTime = text
        }
        return seconds - (origin ?? 0)
    }

    /// Nil for a missing value.
    private func number(_ line: CSVLines.Line, _ column: Int) throws(CSVProblem) -> Double? {
        switch Decimal.parse(bytes, line.fields[column]) {
        case .value(let value): return value
        case .missing: return nil
        case .malformed:
            let text = Columns.short(String(decoding: bytes[line.fields[column]], as: UTF8.self))
            throw CSVProblem(
                line: line.number,
                problem: "\"\(text)\" in column \(Columns.short(columns.names[column])) is no number",
                hint: "Write plain decimals such as 62914560 or 84.5; leave a missing value empty")
        }
    }
}
