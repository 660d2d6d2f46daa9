import Foundation

/// What commands write.
enum Terminal {
    /// A line on standard error that says what went wrong.
    static func complain(_ message: String) {
        note("oakum: \(message)")
    }

    /// A line on standard error: progress and remarks, so that standard output stays what was asked for.
    static func note(_ message: String) {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
    }

    static func line(_ text: String, terminator: String = "\n") {
        FileHandle.standardOutput.write(Data("\(text)\(terminator)".utf8))
    }

    /// The value as JSON with sorted keys.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Rows under a header, columns as wide as they need to be.
    static func table(_ header: [String], _ rows: [[String]], indent: String = "  ") {
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        for row in [header] + rows {
            let cells = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            var text = indent + cells.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            line(text)
        }
    }
}
