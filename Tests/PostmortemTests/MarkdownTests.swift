import OakumTestKit
import Testing

@testable import Postmortem

@Suite struct MarkdownTests {
    @Test(arguments: [
        ("plain words stay", "plain words stay"),
        ("http_requests_total", "http_requests_total"),
        ("*bold* _soft_ `code` [link](x) <b>", "\\*bold\\* \\_soft\\_ \\`code\\` \\[link\\](x) \\<b>"),
        ("a | b", "a \\| b"),
        ("a\\|b", "a\\\\&#124;b"),
        ("# no heading", "\\# no heading"),
        ("ends in ##", "ends in \\#\\#"),
        ("issue #12", "issue \\#12"),
        ("1. no list", "1\\. no list"),
        ("- no list", "\\- no list"),
        ("> no quote", "\\> no quote"),
        ("&amp; & &#42;", "\\&amp; & \\&#42;"),
        ("see https://evil.example and www.evil.example", "see https:\\//evil.example and www\\.evil.example"),
        ("two\nlines\r\nand a\ttab", "two lines and a tab"),
        ("bell\u{7} turned\u{202E}round", "bell\u{FFFD} turned\u{FFFD}round"),
        ("|\u{301} hidden by an accent", "\\|\u{301} hidden by an accent"),
        ("~~gone~~ $x$", "\\~\\~gone\\~\\~ \\$x\\$"),
    ])
    func `text from outside is shown as it is`(text: String, markdown: String) {
        #expect(Markdown.text(text) == markdown)
    }

    @Test(arguments: [
        ("Cache.insert(_:)", "`Cache.insert(_:)`", "`Cache.insert(_:)`"),
        ("a `b` c", "``a `b` c``", "``a `b` c``"),
        ("`", "`` ` ``", "`` ` ``"),
        ("a | b", "`a | b`", "`a \\| b`"),
        ("a \\| b", "`a \\| b`", "<code>a \\\\&#124; b</code>"),
        ("", "(empty)", "(empty)"),
        ("one\ntwo", "`one two`", "`one two`"),
    ])
    func `code is fenced by more backticks than it holds`(text: String, plain: String, inTable: String) {
        #expect(Markdown.code(text) == plain)
        #expect(Markdown.code(text, inTable: true) == inTable)
    }

    @Test func `only addresses of the web become links`() {
        #expect(
            Markdown.link("runbook", "https://example.org/a b|c>") == "[runbook](<https://example.org/a%20b%7Cc%3E>)")
        #expect(Markdown.link("runbook", "javascript:alert(1)") == "`javascript:alert(1)`")
        #expect(Markdown.link("run]book", "HTTP://example.org") == "[run\\]book](<HTTP://example.org>)")
    }

    @Test func `long text is cut and says so`() {
        #expect(Markdown.text(String(repeating: "x", count: 3_000)).unicodeScalars.count == Markdown.limit + 1)
        #expect(Markdown.text(String(repeating: "x", count: 3_000)).hasSuffix("…"))
    }

    @Test func `a sentence ends`() {
        #expect(Markdown.sentence("it ends") == "it ends.")
        #expect(Markdown.sentence("does it?") == "does it?")
        #expect(Markdown.sentence("  ") == "")
    }

    @Test func `whatever comes in, it stays on its line and in its cell`() async throws {
        let alphabet = Array("ab _*`|\\<>[]()#-+.1&;:/~$!\n\r\t\u{7}\u{202E}é💥\u{301}")
        try await forAll(seeds: 300) { random in
            let text = String((0..<random.int(0...40)).compactMap { _ in random.pick(alphabet) })
            for shown in [Markdown.text(text), Markdown.code(text, inTable: true), Markdown.sentence(text)] {
                #expect(!shown.unicodeScalars.contains("\n"))
                #expect(!shown.hasPrefix("<!--"))
                // Every pipe is escaped, so no cell ends early.
                let scalars = Array(shown.unicodeScalars)
                for (index, scalar) in scalars.enumerated() where scalar == "|" {
                    let slashes = scalars[..<index].reversed().prefix { $0 == "\\" }.count
                    #expect(slashes % 2 == 1, "\(shown)")
                }
            }
        }
    }
}
