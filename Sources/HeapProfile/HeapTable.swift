import OakumModel

extension HeapProfile {
    /// The profile as a table for a terminal, without colours or control characters.
    /// - Parameters:
    ///   - growth: adds a column and sorts by it.
    ///   - rows: at most so many sites.
    ///   - width: columns to keep to; names are cut in the middle. At least 80 are used.
    package func table(growth: HeapGrowth? = nil, rows: Int = 20, width: Int = 120) -> String {
        let report = HeapReport(self, growth: growth, limit: rows, stacksPerSite: 0)
        var columns: [TextTable.Column] = [.right("live"), .right("95 % of the time within"), .right("share")]
        columns[1].title = "\(Wording.percent(confidence)) within"
        if growth != nil { columns.append(.right("growth")) }
        columns += [.right("never freed"), .left("verdict"), .left("site")]
        var table = TextTable(columns: columns)
        // Without a comparison a place that holds nothing now is no news.
        let shown = growth == nil ? report.sites.filter { $0.samples > 0 } : report.sites
        for site in shown {
            var cells = [
                Wording.bytes(site.liveBytes.estimate),
                "\(Wording.bytes(site.liveBytes.low)) – \(Wording.bytes(site.liveBytes.high))",
                Wording.percent(site.share),
            ]
            if growth != nil { cells.append(Wording.signedBytes(site.growthBytes?.estimate ?? 0)) }
            let survival = site.survival.map { survival in
                "\(Wording.percent(survival.neverFreed.estimate)) after \(Wording.time(survival.horizonSeconds))"
            }
            let type = site.type.map { "  \($0)" } ?? ""
            cells += [survival ?? "?", site.verdict.words, site.site + type]
            table.add(cells)
        }
        var lines = [summary(report)] + table.lines(width: max(80, width))
        let empty = report.sites.count - shown.count
        if empty > 0 { lines.append("and \(empty) sites of which nothing is alive") }
        if report.sitesLeftOut > 0 { lines.append("and \(report.sitesLeftOut) more sites") }
        lines += report.notes.map { "note: \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private func summary(_ report: HeapReport) -> String {
        let name = TextTable.printable(image.process.executable.split(separator: "/").last.map(String.init) ?? "?")
        let bytes = report.liveBytes
        var line = "\(name) (pid \(report.process.pid)): \(Wording.bytes(bytes.estimate)) live "
        line += "(\(Wording.bytes(bytes.low)) to \(Wording.bytes(bytes.high))) in about "
        line += "\(Wording.integer(report.liveBlocks.estimate)) blocks, by \(report.samples) samples"
        if let inUse = report.bytesInUse { line += "; the allocator counts \(ByteCount(inUse))" }
        if let growth = report.growthBytes { line += "; \(Wording.signedBytes(growth.estimate)) since before" }
        return line
    }
}

extension SiteVerdictCode {
    /// For people.
    package var words: String {
        switch self {
        case .leaks: "leaks"
        case .turnsOver: "turns over"
        case .settled: "settled"
        case .notEnoughData: "not enough data"
        }
    }
}

extension Wording {
    static func bytes(_ bytes: Double) -> String {
        ByteCount(integer(bytes)).description
    }

    static func signedBytes(_ bytes: Double) -> String {
        bytes >= 0.5 ? "+\(Wording.bytes(bytes))" : Wording.bytes(bytes)
    }
}

/// Cells in columns; the last column takes what is left of the width.
struct TextTable {
    struct Column {
        var title: String
        var isRight: Bool

        static func left(_ title: String) -> Column { Column(title: title, isRight: false) }
        static func right(_ title: String) -> Column { Column(title: title, isRight: true) }
    }

    var columns: [Column]
    private var rows: [[String]] = []

    init(columns: [Column]) {
        self.columns = columns
    }

    mutating func add(_ cells: [String]) {
        rows.append(cells.map(Self.printable))
    }

    func lines(width: Int) -> [String] {
        let all = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        let taken = widths.dropLast().reduce(0) { $0 + $1 + 2 }
        return all.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                if index > 0 { line += "  " }
                if index == row.count - 1 {
                    line += Self.shortened(cell, to: max(24, width - taken))
                } else {
                    let padding = String(repeating: " ", count: widths[index] - cell.count)
                    line += columns[index].isRight ? padding + cell : cell + padding
                }
            }
            return line
        }
    }

    /// Names come from the watched process: nothing in them may steer a terminal.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.properties.isBidiControl
                        ? "?" : scalar
                }))
    }

    /// Both ends of a name tell more than its middle.
    static func shortened(_ text: String, to width: Int) -> String {
        guard text.count > width else { return text }
        let kept = max(2, width - 1)
        return "\(text.prefix(kept / 2))…\(text.suffix(kept - kept / 2))"
    }
}
