import OakumModel

/// A page as plain text and as HTML: both hold everything.
struct PageText {
    let page: ReadablePage

    /// "CRITICAL opened: registrar leaks" – what comes first wherever there is but one line.
    var headline: String { "\(page.page.severity.rawValue.uppercased()) \(page.news): \(page.title)" }

    /// The last line: by it a reader knows a page that came twice.
    var footer: String {
        let incident = page.page.incident.map { "incident #\($0), " } ?? ""
        return "\(incident)page \(page.page.id), \(UTCText.rfc3339(page.page.at))"
    }

    /// Lines ended by "\n", the body of a mail.
    var plain: String {
        var blocks = [[headline], page.lines, page.facts.map { "\($0.name): \($0.value)" }]
        blocks.append(page.links.map { "\($0.title): \($0.url)" })
        blocks.append([footer])
        return blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    /// For logs and files: the first line says it, the others are indented.
    var log: String {
        let facts = page.facts.map { "\($0.name): \($0.value)" }
        let links = page.links.map { "\($0.title): \($0.url)" }
        let head = "\(UTCText.rfc3339(page.page.at)) \(headline)"
        return ([head] + (page.lines + facts + links + [footer]).map { "    \($0)" }).joined(separator: "\n")
    }

    var html: String {
        var text = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(Self.escaped(page.title))</title></head>
            <body style="font-family:sans-serif;max-width:44em">
            <p style="color:\(color);font-weight:bold">\(Self.escaped(headline))</p>\n
            """
        text += page.lines.map { "<p>\(Self.escaped($0))</p>\n" }.joined()
        if !page.facts.isEmpty {
            let rows = page.facts.map {
                "<tr><td style=\"padding-right:1em;vertical-align:top\">\(Self.escaped($0.name))</td>"
                    + "<td>\(Self.escaped($0.value))</td></tr>\n"
            }
            text += "<table>\n\(rows.joined())</table>\n"
        }
        if !page.links.isEmpty {
            let anchors = page.links.map { "<a href=\"\(Self.escaped($0.url))\">\(Self.escaped($0.title))</a>" }
            text += "<p>\(anchors.joined(separator: " · "))</p>\n"
        }
        return text + "<p style=\"color:#666;font-size:small\">\(Self.escaped(footer))</p>\n</body></html>\n"
    }

    /// Readable on white for most eyes: contrast at least 4.5 to 1.
    private var color: String {
        if page.isCalming { return "#1b6e2d" }
        return switch page.page.severity {
        case .critical, .error: "#b00020"
        case .warning: "#8a5300"
        case .info: "#333333"
        }
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
