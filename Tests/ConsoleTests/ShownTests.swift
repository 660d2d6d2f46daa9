@testable import OakumHTTP
import OakumModel
import Testing

struct ShownTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (1_709_164_799_999, "Wed, 28 Feb 2024 23:59:59 GMT"), (1_709_164_800_000, "Thu, 29 Feb 2024 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (4_102_444_800_000, "Fri, 01 Jan 2100 00:00:00 GMT"),
        (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"), (Int64.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
    ])
    func `wall times become dates`(_ milliseconds: Int64, _ date: String) {
        #expect(HTTPDate.text(WallTime(milliseconds: milliseconds)) == date)
    }

    @Test(arguments: [
        ("reached in 95 s–2 min", "reached in 95\u{A0}s–2\u{A0}min"),
        ("in 73–89 s, soon", "in 73\u{2060}–\u{2060}89\u{A0}s, soon"),
        ("at 85 % of 256 MiB", "at 85\u{A0}% of 256\u{A0}MiB"), ("0.78 MiB/s", "0.78\u{A0}MiB/s"),
        ("2 workers, 3 services", "2 workers, 3 services"), ("", ""), (" – ", " – "), ("5 ", "5 "),
    ])
    func `numbers stay with their units`(_ text: String, _ glued: String) {
        #expect(Shown.glued(text) == glued)
    }

    @Test func `text is escaped, markup is not`() {
        let inner: Markup = "<b>\("a&b")</b>"
        let outer: Markup = "<p title=\"\("\"'<>")\">\(inner)\([inner, inner])\(7)</p>"
        #expect(
            outer.html == "<p title=\"&quot;&#39;&lt;&gt;\"><b>a&amp;b</b><b>a&amp;b</b><b>a&amp;b</b>7</p>")
        #expect(Markup.escaped("a\u{0}\u{1B}\u{7F}\t\n") == "a\u{FFFD}\u{FFFD}\u{FFFD}\t\n")
    }

    @Test(arguments: [
        (Double.nan, "–"), (-1, "–"), (.infinity, "–"), (0, "0 s"), (119.4, "119 s"), (120, "2 min"), (7200, "2.0 h"),
        (172_800, "2.0 d"),
    ])
    func `durations are short`(_ seconds: Double, _ text: String) {
        #expect(Shown.seconds(seconds) == text)
    }

    @Test func `counts and limits are readable`() {
        #expect(Shown.count(1_204_881) == "1\u{202F}204\u{202F}881")
        #expect(Shown.count(999) == "999")
        #expect(Shown.count(nil) == "–")
        #expect(Shown.limit(.mebibytes(256)) == "256 MiB")
        #expect(Shown.limit(ByteCount(1_600_000)) == "1.5 MiB")
        #expect(Shown.percent(ByteCount(50), of: .zero) == nil)
    }
}
