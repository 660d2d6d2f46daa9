import OakumModel
import OakumTestKit
import Testing

@testable import Postmortem

@Suite struct TextTests {
    @Test(arguments: [
        (0, 0, "1970-01-01 00:00:00"),
        (-1, 0, "1969-12-31 23:59:59"),
        (951_782_399_999, 0, "2000-02-28 23:59:59"),
        (951_868_800_000, 0, "2000-03-01 00:00:00"),
        (1_699_628_400_000, -18_000, "2023-11-10 10:00:00"),
        (1_711_846_800_000, 7_200, "2024-03-31 03:00:00"),
        (-62_135_596_800_000, 0, "0001-01-01 00:00:00"),
        (253_402_300_799_000, 0, "9999-12-31 23:59:59"),
    ])
    func `times are written as the calendar has them`(milliseconds: Int, offset: Int, text: String) {
        let civil = CivilTime(WallTime(milliseconds: Int64(milliseconds)), offsetSeconds: offset)
        #expect("\(civil.date) \(civil.clock)" == text)
    }

    @Test func `each day follows the one before it`() async throws {
        try await forAll(seeds: 50) { random in
            let day = Int64(random.int(-800_000...800_000))
            let today = CivilTime(WallTime(milliseconds: day * 86_400_000), offsetSeconds: 0)
            let tomorrow = CivilTime(WallTime(milliseconds: (day + 1) * 86_400_000), offsetSeconds: 0)
            let isNext =
                (tomorrow.year, tomorrow.month, tomorrow.day) == (today.year, today.month, today.day + 1)
                || (tomorrow.day == 1 && today.day >= 28)
            #expect(isNext)
            #expect((1...12).contains(today.month) && (1...31).contains(today.day))
        }
    }

    @Test func `times that nobody can have meant do not trap`() {
        for milliseconds in [Int64.min, .max] {
            #expect(!CivilTime(WallTime(milliseconds: milliseconds), offsetSeconds: 50_400).date.isEmpty)
        }
    }

    @Test func `a zone is said once, or with each time where it changes`() {
        let summerEnds = WallTime(milliseconds: 1_698_541_200_000)
        let vienna = DocumentZone(name: "Europe/Vienna") { at in
            at < summerEnds
                ? ZoneOffset(seconds: 7_200, abbreviation: "CEST") : ZoneOffset(seconds: 3_600, abbreviation: "CET")
        }
        let before = WallTime(milliseconds: summerEnds.milliseconds - 1_000)
        let mixed = TimeWords(vienna, times: [before, summerEnds])
        #expect(mixed.row(before) == "02:59:59 CEST")
        #expect(mixed.row(summerEnds) == "02:00:00 CET")
        #expect(mixed.column == "Europe/Vienna")
        let plain = TimeWords(vienna, times: [summerEnds])
        #expect(plain.row(summerEnds) == "02:00:00")
        #expect(plain.clock(summerEnds) == "02:00:00 CET")
        #expect(plain.zoneSentence == "CET (Europe/Vienna, UTC+01:00)")
        let nameless = DocumentZone(name: "Asia/Kathmandu") { _ in ZoneOffset(seconds: 20_700) }
        let words = TimeWords(nameless, times: [summerEnds])
        #expect(words.zoneSentence == "Asia/Kathmandu (UTC+05:45)")
        #expect(words.full(summerEnds) == "2023-10-29 06:45:00 UTC+05:45")
        #expect(TimeWords(.utc, times: [summerEnds]).zoneSentence == "UTC")
    }

    @Test func `times of several days carry their date`() {
        let first = WallTime(milliseconds: 1_699_628_400_000)
        let next = WallTime(milliseconds: 1_699_714_800_000)
        #expect(TimeWords(.utc, times: [first, next]).row(next) == "2023-11-11 15:00:00")
    }

    @Test func `durations have two units at most`() {
        let expected = [
            0.04: "0 s", 3.44: "3.4 s", 9.96: "10 s", 59.4: "59 s", 60: "1 min", 250: "4 min 10 s", 3_599.6: "1 h",
            3_900: "1 h 5 min", 86_399: "1 d", 183_600: "2 d 3 h", -38: "38 s",
        ]
        for (seconds, words) in expected { #expect(Amount.duration(seconds) == words, "\(seconds)") }
        #expect(Amount.duration(.infinity) == "an unknown time")
        #expect(Amount.interval(TimeToLimit(low: 38, high: 52)) == "38 s to 52 s")
        #expect(Amount.interval(TimeToLimit(low: 7_200, high: nil)) == "at least 2 h")
    }

    @Test func `numbers are written alike everywhere`() {
        #expect(Amount.number(12_345_678) == "12,345,678")
        #expect(Amount.number(205) == "205")
        #expect(Amount.number(-3.44) == "−3.4")
        #expect(Amount.number(-0.01) == "0")
        #expect(Amount.number(.nan) == "unknown")
        #expect(Amount.change(-50.2) == "−50 %")
        #expect(Amount.change(12) == "+12 %")
        #expect(
            Amount.rate(Estimate(estimate: 1_268_000, low: 1_150_000, high: 1_380_000)) == "1.21 MiB/s (1.10 to 1.32)")
        #expect(Amount.rate(Estimate(estimate: 900, low: 800, high: 1_000)) == "3.1 MiB/h (2.7 to 3.4)")
    }
}
