/// Makes texts from outside fit to be stored, mailed and shown: one line, of bounded length.
enum Plain {
    /// Control characters, line breaks and what reverses the direction of text become spaces; spaces at the ends go; longer
    /// texts end in "…". Cost proportional to the text.
    ///
    /// - Parameter bytes: of UTF-8, at least 4.
    static func line(_ text: String, bytes limit: Int) -> String {
        var cleaned = ""
        var count = 0
        var pendingSpace = false
        for scalar in text.unicodeScalars {
            if isSpace(scalar) {
                pendingSpace = !cleaned.isEmpty
                continue
            }
            let width = UTF8.width(scalar) + (pendingSpace ? 1 : 0)
            // Room for the ellipsis is kept from the start.
            guard count + width <= limit else { return shortened(cleaned, bytes: limit) }
            if pendingSpace { cleaned.unicodeScalars.append(" ") }
            pendingSpace = false
            cleaned.unicodeScalars.append(scalar)
            count += width
        }
        return cleaned
    }

    private static func shortened(_ text: String, bytes limit: Int) -> String {
        var text = text
        while text.utf8.count > limit - 3, !text.isEmpty { text.unicodeScalars.removeLast() }
        return text + "…"
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Controls, line and paragraph separators, and the marks that turn text around (Unicode Technical Report 36).
        case 0...0x20, 0x7F...0xA0, 0x2028...0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
