import OakumModel

/// A page made fit for any channel: one line is one line, nothing steers a terminal, nothing is endless.
///
/// At most 60 lines, 60 facts and 12 links, of 2,000 characters each; the title 200. What is beyond is left out, and an ellipsis
/// says so.
struct ReadablePage: Sendable {
    let page: Page
    let title: String
    let lines: [String]
    let facts: [PageFact]
    /// Those that a reader can follow: http and https.
    let links: [PageLink]

    init(_ page: Page) {
        self.page = page
        title = Self.clean(page.title, limit: 200)
        var lines = page.lines.prefix(60).map { Self.clean($0, limit: 2000) }
        if page.lines.count > 60 { lines.append("…") }
        self.lines = lines.filter { !$0.isEmpty }
        facts = page.facts.prefix(60).map {
            PageFact(Self.clean($0.name, limit: 200), Self.clean($0.value, limit: 2000))
        }
        links = page.links.filter(Self.canBeFollowed).prefix(12).map {
            PageLink(action: $0.action, title: Self.clean($0.title, limit: 75), url: $0.url)
        }
    }

    func link(_ action: PageLink.Action) -> PageLink? { links.first { $0.action == action } }

    /// "opened", "no longer mitigated": what kind of news it is, in a word or two.
    var news: String {
        switch page.kind {
        case .opened, .escalated, .updated, .acknowledged, .mitigated, .resolved, .reopened: page.kind.rawValue
        case .stakeholders: "for stakeholders"
        case .test: "test"
        }
    }

    /// It asks nobody to act.
    var isCalming: Bool {
        switch page.kind {
        case .acknowledged, .mitigated, .resolved: true
        case .opened, .escalated, .updated, .reopened, .stakeholders, .test: false
        }
    }

    /// Why it may not be sent at all; nil when it may.
    var problem: String? {
        let isName = page.id.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isName, (1...64).contains(page.id.utf8.count) else {
            return "the page's id is malformed: 1 to 64 letters, digits, _ and - are allowed"
        }
        return nil
    }

    /// Control characters, line and paragraph separators and what turns the direction of text become blanks.
    static func clean(_ text: String, limit: Int) -> String {
        var scalars = String.UnicodeScalarView()
        // A bound on scalars too: one character may be made of very many.
        for scalar in text.unicodeScalars.prefix(limit * 4) {
            scalars.append(isHarmless(scalar) ? scalar : " ")
        }
        return clipped(trimmed(String(scalars)), limit)
    }

    static func clipped(_ text: String, _ limit: Int) -> String {
        text.count <= limit ? text : text.prefix(max(0, limit - 1)) + "…"
    }

    /// At most so many bytes of UTF-8, ended at a character.
    static func clippedBytes(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var result = ""
        var bytes = 3
        for character in text {
            bytes += character.utf8.count
            guard bytes <= limit else { break }
            result.append(character)
        }
        return result + "…"
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: false
        default: true
        }
    }

    private static func trimmed(_ text: String) -> String {
        let body = text.drop { $0 == " " }
        return String(body.reversed().drop { $0 == " " }.reversed())
    }

    private static func canBeFollowed(_ link: PageLink) -> Bool {
        let url = link.url
        return (url.hasPrefix("https://") || url.hasPrefix("http://")) && url.utf8.count <= 2000
            && url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#"<>"\^`{|}"#.utf8.contains($0) }
    }
}
