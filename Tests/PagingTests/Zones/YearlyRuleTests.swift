import Paging
import Testing

@Suite
struct YearlyRuleTests {
    private func zone(_ posix: String) throws -> ZoneRules {
        let rule = try #require(YearlyRule(posix: posix))
        return ZoneRules(name: "Test/Zone", first: rule.standard, rule: rule)
    }

    private func offset(_ zone: ZoneRules, utc text: String) throws -> Int32 {
        zone.period(at: try #require(CivilTime(text)).seconds).offsetSeconds
    }

    @Test func `offsets count towards the west in a rule, and towards the east everywhere else`() throws {
        #expect(
            try #require(YearlyRule(posix: "EST5")).standard == ZonePeriod(offsetSeconds: -18_000, abbreviation: "EST"))
        #expect(try #require(YearlyRule(posix: "<+0545>-5:45")).standard.offsetSeconds == 20_700)
        #expect(try #require(YearlyRule(posix: "LMT-1:05:21")).standard.offsetSeconds == 3_921)
    }

    @Test func `daylight saving time may begin before midnight, on the other side of New Year, and be negative`() throws
    {
        let nuuk = try zone("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")
        #expect(try offset(nuuk, utc: "2026-03-29 00:59:59") == -7_200)
        #expect(try offset(nuuk, utc: "2026-03-29 01:00") == -3_600)
        let sydney = try zone("AEST-10AEDT,M10.1.0,M4.1.0/3")
        #expect(try offset(sydney, utc: "2026-12-31 13:00") == 39_600)
        #expect(try offset(sydney, utc: "2027-01-01 00:00") == 39_600)
        #expect(try offset(sydney, utc: "2026-07-01 00:00") == 36_000)
        let dublin = try zone("IST-1GMT0,M10.5.0,M3.5.0/1")
        #expect(try offset(dublin, utc: "2026-01-15 12:00") == 0)
        #expect(try offset(dublin, utc: "2026-07-15 12:00") == 3_600)
    }

    @Test func `days of the year count 29 February or do not`() throws {
        let without = try zone("AAA0BBB,J60/0,J300/0")
        #expect(try offset(without, utc: "2024-02-29 23:59:59") == 0)
        #expect(try offset(without, utc: "2024-03-01 00:00") == 3_600)
        #expect(try offset(without, utc: "2025-03-01 00:00") == 3_600)
        let with = try zone("AAA0BBB,59/0,300/0")
        #expect(try offset(with, utc: "2024-02-28 23:59:59") == 0)
        #expect(try offset(with, utc: "2024-02-29 00:00") == 3_600)
        #expect(try offset(with, utc: "2025-03-01 00:00") == 3_600)
    }

    @Test func `hours beyond a day name the days that follow`() throws {
        let gaza = try zone("EET-2EEST,M3.4.4/50,M10.4.4/50")
        // The fourth Thursday of March 2026 is the 26th; 50 h later it is Saturday 02:00, 00:00 UTC.
        #expect(try offset(gaza, utc: "2026-03-27 23:59:59") == 7_200)
        #expect(try offset(gaza, utc: "2026-03-28 00:00") == 10_800)
    }

    @Test func `daylight saving time that ends when it begins lasts all year`() throws {
        // RFC 9636, section 3.3.1.
        let zone = try zone("XXX3EDT4,0/0,J365/23")
        for text in [
            "2026-01-01 00:00", "2026-01-01 04:00", "2026-07-01 00:00", "2026-12-31 23:59:59", "2028-12-31 12:00",
        ] {
            #expect(try offset(zone, utc: text) == -14_400, "\(text)")
        }
    }

    @Test(arguments: [
        "", "E", "ES5", "EST", "EST25", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,", "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J365", "EST5EDT,366,1",
        "EST5EDT,M3.2.0/168,M11.1.0",
        "EST5EDT,M3.2.0,M11.1.0x", "<+03-3", "<>3", "EST5:60", "EST--5", "EST5 EDT,M3.2.0,M11.1.0", ":Europe/Vienna",
        "EST0005",
    ])
    func `what is no rule is refused`(text: String) {
        #expect(YearlyRule(posix: text) == nil)
    }
}
