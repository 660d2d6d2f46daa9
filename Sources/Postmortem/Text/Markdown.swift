/// Text from outside as part of a Markdown document (CommonMark with the tables of GitHub Flavored Markdown), without power over
/// it: alert titles, notes and log lines may hold anything.
///
/// Works on Unicode scalars: a combining mark does not hide the character before it.
enum Markdown {
    /// The most scalars of one text; longer ones are cut with "…". Notes have no bound of their own.
    static let limit = 2_000

    /// As part of a line: one line, nothing in it is read as markup.
    static func text(_ text: String, limit: Int = limit) -> String {
        let scalars = Array(clean(text, limit: limit, collapsing: true).unicodeScalars)
        var result = ""
        for (index, scalar) in scalars.enumerated() {
            let before = index > 0 ? scalars[index - 1] : nil
            let after = index + 1 < scalars.count ? scalars[index + 1] : nil
            if scalar == "|", before == "\\" {
                // Parsers differ on which of the two backslashes counts.
                result += "&#124;"
                continue
            }
            if isMarkup(scalar, before, after) || isListNumber(scalars, index) { result += "\\" }
            result.unicodeScalars.append(scalar)
            // Neither "http://" nor "www." becomes a link that nobody wrote.
            if scalar == ":", after == "/" { result += "\\" }
        }
        return result
    }

    /// As code: `` `Cache.insert(_:)` ``. "(empty)" when there is nothing to show.
    ///
    /// - Parameter inTable: within a table the character that divides columns needs a backslash even in code.
    static func code(_ text: String, inTable: Bool = false, limit: Int = limit) -> String {
        let clean = clean(text, limit: limit, collapsing: false)
        guard clean.unicodeScalars.contains(where: { $0 != " " }) else { return "(empty)" }
        if inTable, clean.unicodeScalars.contains("|") {
            guard !clean.unicodeScalars.contains("\\") else { return "<code>\(self.text(text, limit: limit))</code>" }
        }
        let fence = String(repeating: "`", count: longestRun(of: "`", in: clean) + 1)
        let isTouching = clean.hasPrefix("`") || clean.hasSuffix("`") || (clean.hasPrefix(" ") && clean.hasSuffix(" "))
        let pad = isTouching ? " " : ""
        let content = inTable ? replaced(clean, "|", by: "\\|") : clean
        return fence + pad + content + pad + fence
    }

    /// A link when the address is one of the web, else its text as code.
    static func link(_ title: String, _ address: String, inTable: Bool = false) -> String {
        let lowered = address.lowercased()
        guard lowered.hasPrefix("https://") || lowered.hasPrefix("http://") else {
            return code(address, inTable: inTable)
        }
        return "[\(text(title))](<\(destination(address))>)"
    }

    /// The address of a file beside the document.
    static func fileLink(_ title: String, _ path: String) -> String {
        "[\(text(title))](<\(destination(path))>)"
    }

    static func image(_ description: String, _ path: String) -> String {
        "!" + fileLink(description, path)
    }

    /// The text with a full stop, when it ends in a letter or the like.
    static func sentence(_ text: String) -> String {
        let clean = clean(text, limit: limit, collapsing: true)
        guard let last = clean.last else { return "" }
        return self.text(clean) + (".!?…:".contains(last) ? "" : ".")
    }

    /// Rows under a header. Cells are Markdown already; rows are padded or cut to the header's width.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let lines =
            [header, header.map { _ in "---" }]
            + rows.map { row in
                header.indices.map { $0 < row.count && !row[$0].isEmpty ? row[$0] : " " }
            }
        return lines.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
    }

    static func list(_ items: [String]) -> String {
        items.map { "- \($0)" }.joined(separator: "\n")
    }

    // MARK: - What is dangerous

    private static func isMarkup(_ scalar: Unicode.Scalar, _ before: Unicode.Scalar?, _ after: Unicode.Scalar?) -> Bool
    {
        switch scalar {
        case "\\", "`", "*", "[", "]", "<", "|", "~", "$": true
        case "_": !(isWord(before) && isWord(after))
        case "&": after == "#" || isWord(after)
        // A heading's end, or the beginning of a block.
        case "#": before == nil || before == " " || before == "#"
        case "+", "-", "=", ">", ":": before == nil
        case ".": before == "w" || before == "W"
        default: false
        }
    }

    /// "1." at the beginning would start a list.
    private static func isListNumber(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
        guard scalars[index] == "." || scalars[index] == ")", index > 0, index <= 9 else { return false }
        return scalars[..<index].allSatisfy { ("0"..."9").contains($0) }
    }

    private static func isWord(_ scalar: Unicode.Scalar?) -> Bool {
        guard let scalar else { return false }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    /// One line without characters that control a terminal or turn the direction of what follows (CVE-2021-42574).
    static func clean(_ text: String, limit: Int, collapsing: Bool) -> String {
        var result = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            let shown = visible(scalar)
            if shown == " ", collapsing, result.isEmpty || result.last == " " { continue }
            guard count < limit else {
                result.append("…")
                break
            }
            result.append(shown)
            count += 1
        }
        while result.last == " " { result.removeLast() }
        return String(result)
    }

    private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0x09...0x0D, 0x85, 0x2028, 0x2029: " "
        case 0...0x1F, 0x7F...0x9F, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF, 0xE0000...0xE007F,
            0xFFFE, 0xFFFF:
            "\u{FFFD}"
        default: scalar
        }
    }

    private static func longestRun(of scalar: Unicode.Scalar, in text: String) -> Int {
        var (longest, current) = (0, 0)
        for one in text.unicodeScalars {
            current = one == scalar ? current + 1 : 0
            longest = max(longest, current)
        }
        return longest
    }

    private static func replaced(_ text: String, _ scalar: Unicode.Scalar, by other: String) -> String {
        var result = ""
        for one in text.unicodeScalars {
            if one == scalar { result += other } else { result.unicodeScalars.append(one) }
        }
        return result
    }

    /// Percent-encoded where it would end the destination, the cell or the line.
    private static func destination(_ address: String) -> String {
        var result = ""
        for byte in clean(address, limit: limit, collapsing: false).utf8 {
            let isPlain = (0x21...0x7E).contains(byte) && !#"<>\|`""#.utf8.contains(byte)
            if isPlain {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return result
    }
}
