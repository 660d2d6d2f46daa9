import Foundation
import OakumModel
import OakumTestKit
import Testing

@testable import Notify

/// A mail taken apart again, by rules of its own.
struct ParsedMail {
    var headers: [(name: String, value: String)] = []
    /// Content type and decoded text of each part.
    var parts: [(type: String, text: String)] = []

    init(_ text: String) throws {
        guard let end = text.firstRange(of: "\r\n\r\n") else { throw TestKitError("no head") }
        headers = Self.fields(String(text[..<end.lowerBound]))
        guard let boundary = self["Content-Type"]?.split(separator: "\"").dropFirst().first else {
            throw TestKitError("no boundary")
        }
        let body = text[end.upperBound...]
        guard body.hasPrefix("--\(boundary)\r\n"), let close = body.firstRange(of: "\r\n--\(boundary)--") else {
            throw TestKitError("boundaries")
        }
        // CR and LF together are one character.
        let inner = body[..<close.lowerBound].dropFirst(boundary.count + 3)
        for part in inner.split(separator: "\r\n--\(boundary)\r\n", omittingEmptySubsequences: false) {
            guard let end = part.firstRange(of: "\r\n\r\n") else { throw TestKitError("no head of a part") }
            let head = Self.fields(String(part[..<end.lowerBound]))
            let type = head.first { $0.name == "Content-Type" }?.value ?? ""
            #expect(head.contains { $0.name == "Content-Transfer-Encoding" && $0.value == "quoted-printable" })
            parts.append((type, Self.unquoted(String(part[end.upperBound...]))))
        }
    }

    subscript(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    private static func fields(_ head: String) -> [(name: String, value: String)] {
        head.replacing("\r\n ", with: " ").replacing("\r\n\t", with: " ").split(separator: "\r\n").map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (String(parts[0]), String(parts.last?.drop { $0 == " " } ?? ""))
        }
    }

    static func unquoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        let joined = Array(text.replacing("=\r\n", with: "").replacing("\r\n", with: "\n").utf8)
        var index = 0
        while index < joined.count {
            if joined[index] == UInt8(ascii: "="), index + 2 < joined.count,
                let byte = UInt8(String(decoding: joined[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(joined[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// RFC 2047 with base64: blanks between encoded words do not count.
    static func decodedWords(_ text: String) -> String {
        var result = ""
        var lastWasEncoded = true
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let isEncoded = word.hasPrefix("=?utf-8?B?") && word.hasSuffix("?=")
            if !result.isEmpty, !(isEncoded && lastWasEncoded) { result += " " }
            if isEncoded, let data = Data(base64Encoded: String(word.dropFirst(10).dropLast(2))) {
                result += String(decoding: data, as: UTF8.self)
            } else {
                result += word
            }
            lastWasEncoded = isEncoded
        }
        return result
    }
}

@Suite struct MailMessageTests {
    static let settings = MailSettings(host: "mail.example.org", sender: "oakum@example.org")

    private func message(_ page: Page, recipients: [String] = ["ann@example.org"]) -> String {
        MailMessage(ReadablePage(page), Self.settings, recipients: recipients, host: "oakum.example.org").text
    }

    @Test func `the head says who, what, and that no person wrote it`() throws {
        let mail = try ParsedMail(message(Samples.page()))
        #expect(mail["From"] == "\"Oakum\" <oakum@example.org>")
        #expect(mail["To"] == "\"Ann Example\" <ann@example.org>")
        #expect(mail["Subject"] == "registrar: memory leak in VerificationContext.init")
        #expect(mail["Date"] == "Sat, 21 Nov 2026 10:00:00 +0000")
        #expect(mail["Message-ID"] == "<pg_0001@oakum.example.org>")
        #expect(mail["Auto-Submitted"] == "auto-generated")
        #expect(mail["MIME-Version"] == "1.0")
        #expect(mail["Importance"] == "high")
        #expect(mail["X-Oakum-Incident"] == "12")
        #expect(mail.headers.count == Set(mail.headers.map(\.name)).count)
    }

    @Test func `pages of one incident are one thread, whichever comes first`() throws {
        let first = try ParsedMail(message(Samples.page()))
        let later = try ParsedMail(message(Samples.page(id: "pg_0002", kind: .resolved, beginsThread: false)))
        #expect(first["References"] == "<thread.incident-12@oakum.example.org>")
        #expect(first["In-Reply-To"] == nil)
        #expect(later["References"] == first["References"])
        #expect(later["In-Reply-To"] == first["References"])
        #expect(later["Message-ID"] != first["Message-ID"])
        // Odd names of threads stay apart and need no quoting.
        let odd = ["a b", "a>b", "ä", String(repeating: "x", count: 100), ""].map {
            MailMessage.threadID($0, host: "h.example")
        }
        #expect(Set(odd).count == odd.count)
        for id in odd { #expect(id.wholeMatch(of: /<thread\.[a-zA-Z0-9_-]+@h\.example>/) != nil, "\(id)") }
    }

    @Test func `text and HTML both hold everything`() throws {
        let mail = try ParsedMail(message(Samples.page()))
        #expect(mail.parts.map(\.type) == ["text/plain; charset=utf-8", "text/html; charset=utf-8"])
        let html = mail.parts[1].text
        for content in Samples.contents {
            #expect(mail.parts[0].text.contains(content), "\(content)")
            #expect(html.contains(content.replacing("&", with: "&amp;")), "\(content)")
        }
        #expect(html.contains("&lt;255 MiB&gt;"))
        #expect(html.contains("Array&lt;UInt8&gt;"))
        #expect(html.contains("<a href=\"https://wiki.example.org/leaks?a=1&amp;b=2\">Runbook</a>"))
        #expect(!html.contains("<255"))
    }

    @Test func `the same page is the same mail`() {
        #expect(message(Samples.page()) == message(Samples.page()))
    }

    @Test func `several recipients are all shown, without a person's name`() throws {
        let all = (0..<50).map { "person\($0)@example.org" }
        let mail = try ParsedMail(message(Samples.page(), recipients: all))
        #expect(mail["To"] == all.map { "<\($0)>" }.joined(separator: ", "))
    }

    @Test func `long and foreign words survive encoding`() throws {
        for title in [
            "Speicherleck: Größe wächst", "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", "👩‍👩‍👧‍👦 👩‍👩‍👧‍👦",
            "=?utf-8?B?AAAA?=", String(repeating: "x", count: 200), "a\"b\\c", "x é",
        ] {
            let text = message(Samples.page(title: title))
            #expect(ParsedMail.decodedWords(try #require(try ParsedMail(text)["Subject"])) == title)
            for word in text.split(whereSeparator: { $0 == " " || $0 == "\r\n" }) where word.hasPrefix("=?") {
                #expect(word.utf8.count <= 75)
            }
        }
    }

    @Test func `whatever is in a page, the mail keeps the rules and the text`() async throws {
        try await forAll(seeds: 60) { generator in
            let pieces = [
                "\u{0}", "\n", "\r", "\r\n", "\r\n.\r\n", "\r\nBcc: eve@example.org", "From here", "=", "=3D", ".", " ",
                "\t", "é",
                "漢", "👩‍👩‍👧", "\u{202E}", "<script>", "--=_pg_0001", "x", String(repeating: "y", count: 90),
                String(repeating: "ü", count: 90),
            ]
            func odd(_ most: Int) -> String {
                (0..<generator.int(0...most)).compactMap { _ in generator.pick(pieces) }.joined()
            }
            var page = Samples.page(title: odd(20))
            page.lines = (0..<generator.int(0...8)).map { _ in odd(40) }
            page.facts = (0..<generator.int(0...4)).map { _ in PageFact(odd(5), odd(20)) }
            page.person = odd(6)
            page.thread = odd(6)
            let text = message(page)
            let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
            #expect(lines.allSatisfy { $0.utf8.count <= 998 && !$0.utf8.contains(10) && !$0.utf8.contains(13) })
            #expect(text.utf8.allSatisfy { $0 < 0x80 && $0 != 0 })
            #expect(text.hasSuffix("\r\n"))
            let mail = try ParsedMail(text)
            #expect(mail["Bcc"] == nil)
            let readable = ReadablePage(page)
            let plain = PageText(page: readable).plain
            #expect(mail.parts.first?.text == plain)
            #expect(mail.parts.last?.text == PageText(page: readable).html)
            if !readable.title.isEmpty {
                let subject = try #require(mail["Subject"])
                #expect(
                    ParsedMail.decodedWords(subject).split(separator: " ").joined()
                        == readable.title.split(separator: " ").joined())
            }
            let body = text.split(separator: "\r\n\r\n", maxSplits: 1).last ?? ""
            #expect(body.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 76 })
        }
    }
}
