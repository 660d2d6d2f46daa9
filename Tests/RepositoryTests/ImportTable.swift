/// The table of allowed imports in docs/architecture.md: rows `| ring | targets | one line | may import |`, with target
/// names in backticks. Only the table under the heading "Allowed imports" counts.
struct ImportTable {
    struct Row {
        var ring: String
        var mayImport: Set<String>
    }

    private(set) var rows: [String: Row] = [:]

    init(markdown: String) {
        var isInside = false
        for line in markdown.split(separator: "\n") {
            if line.hasPrefix("#") { isInside = line.hasSuffix("Allowed imports") }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            guard isInside, cells.count == 6 else { continue }
            let row = Row(
                ring: cells[1].split(separator: " ").joined(separator: " "), mayImport: Set(Self.names(in: cells[4])))
            for target in Self.names(in: cells[2]) { rows[target] = row }
        }
    }

    /// What stands between backticks.
    private static func names(in cell: Substring) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}
