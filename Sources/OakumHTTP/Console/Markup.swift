/// HTML that is safe by construction: what stands in the source is markup, what is interpolated is text and is escaped.
///
/// Attributes must be in double quotes in the source. Only another `Markup` is inserted as it is.
struct Markup: Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    private(set) var html: String

    /// For literals in the source; never call it with text from elsewhere.
    init(stringLiteral value: String) {
        html = value
    }

    init(stringInterpolation: StringInterpolation) {
        html = stringInterpolation.html
    }

    static func += (left: inout Markup, right: Markup) {
        left.html += right.html
    }

    static func joined(_ parts: [Markup]) -> Markup { "\(parts)" }

    var description: String { html }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var html = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            html.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        mutating func appendLiteral(_ literal: String) {
            html += literal
        }

        mutating func appendInterpolation(_ text: String) {
            html += Markup.escaped(text)
        }

        mutating func appendInterpolation(_ number: some BinaryInteger) {
            html += "\(number)"
        }

        mutating func appendInterpolation(_ markup: Markup) {
            html += markup.html
        }

        mutating func appendInterpolation(_ parts: [Markup]) {
            for part in parts {
                html += part.html
            }
        }
    }

    /// For text and for attributes in double quotes (HTML standard, 13.3); control characters that HTML has no place for
    /// become U+FFFD.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\t", "\n", "\r": escaped.unicodeScalars.append(scalar)
            case let control where control.value < 0x20 || (0x7F...0x9F).contains(control.value):
                escaped.unicodeScalars.append("\u{FFFD}")
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
