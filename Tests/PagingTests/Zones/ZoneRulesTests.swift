import OakumTestKit
import Paging
import Testing

@Suite
struct ZoneRulesTests {
    @Test func `clocks show what Python's zoneinfo says, from 1900 to 2100`() throws {
        let all = try ZoneVectors.all()
        #expect(all.count == 23)
        for vectors in all {
            let zone = try ZoneRules(name: vectors.name, file: vectors.file)
            #expect(vectors.shown.count >= 14)
            for (at, offset, abbreviation) in vectors.shown {
                let period = ZonePeriod(offsetSeconds: offset, abbreviation: abbreviation)
                #expect(zone.period(at: at) == period, "\(vectors.name) at \(at)")
            }
        }
    }

    @Test func `civil times around changes of the clock mean the first instant that shows them or more`() throws {
        for vectors in try ZoneVectors.all() {
            let zone = try ZoneRules(name: vectors.name, file: vectors.file)
            for (civil, instant) in vectors.instants {
                #expect(zone.instant(of: civil) == instant, "\(vectors.name) \(civil)")
            }
        }
    }

    @Test func `a time that is skipped means the moment of the change, one that comes twice its first coming`() throws {
        let vienna = try ZoneVectors.zone("Europe/Vienna")
        // 2026-03-29 02:00 CET → 03:00 CEST at 01:00 UTC.
        let forward: Int64 = 1_774_746_000
        for text in ["2026-03-29 02:00", "2026-03-29 02:30", "2026-03-29 03:00"] {
            #expect(vienna.instant(of: try #require(CivilTime(text))) == forward)
        }
        // 2026-10-25 03:00 CEST → 02:00 CET at 01:00 UTC.
        let back: Int64 = 1_792_890_000
        #expect(vienna.instant(of: try #require(CivilTime("2026-10-25 02:30"))) == back - 1_800)
        #expect(vienna.instant(of: try #require(CivilTime("2026-10-25 03:00"))) == back + 3_600)
    }

    @Test func `a later civil time is never an earlier instant`() async throws {
        let zones = try ZoneVectors.all().map { try ZoneRules(name: $0.name, file: $0.file) }
        try await forAll(seeds: 40) { generator in
            guard let zone = generator.pick(zones) else { return }
            let start = Int64(generator.int(1_262_304_000...2_000_000_000))
            guard let change = zone.nextTransition(after: start) else { return }
            var civil = zone.civil(at: change - 90_000)
            var before = zone.instant(of: civil)
            while before < change + 90_000 {
                civil.seconds += Int64(generator.int(1...1_200))
                let instant = zone.instant(of: civil)
                #expect(instant >= before)
                #expect(zone.civil(at: instant) >= civil)
                #expect(zone.civil(at: instant - 1) < civil)
                before = instant
            }
        }
    }

    @Test func `the changes of the clock are found one after the other, beyond the last in the file too`() throws {
        let zone = try ZoneVectors.zone("Europe/Vienna")
        var at: Int64 = 1_767_225_600  // 2026
        var months: [Int] = []
        for _ in 0..<200 {
            at = try #require(zone.nextTransition(after: at))
            months.append(zone.civil(at: at).day.yearMonthDay.month)
            #expect(zone.period(at: at) != zone.period(at: at - 1))
        }
        #expect(months == Array(repeating: [3, 10], count: 100).flatMap(\.self))
        #expect(ZoneRules.utc.nextTransition(after: 0) == nil)
    }

    @Test func `names cannot lead out of the folder of zones`() {
        for name in ["Europe/Vienna", "Etc/GMT+12", "America/Argentina/Buenos_Aires", "UTC", "EST5EDT"] {
            #expect(ZoneRules.isName(name))
        }
        let outside = [
            "", "/etc/passwd", "../etc/passwd", "Europe/../../x", "Europe//Vienna", "Europe/", ".", "a.b", "a b",
            "a\0b", "é",
            String(repeating: "a", count: 65), "Europe\\Vienna", "~",
        ]
        for name in outside { #expect(!ZoneRules.isName(name), "\(name)") }
    }
}
