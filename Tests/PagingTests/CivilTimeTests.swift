import Paging
import Testing

@Suite
struct CivilTimeTests {
    @Test func `every day of ten thousand years goes to its number and back`() {
        var number = CivilDay(year: 1, month: 1, day: 1).number
        #expect(number == -719_162)
        var weekday = 0
        for year in 1...9_999 {
            for month in 1...12 {
                let first = CivilDay(year: year, month: month, day: 1)
                guard first.number == number, first.weekday == Weekday.allCases[weekday % 7] else {
                    Issue.record("\(year)-\(month)")
                    return
                }
                let length = CivilDay.length(ofMonth: month, year: year)
                let (y, m, d) = CivilDay(number: number + Int64(length - 1)).yearMonthDay
                guard (y, m, d) == (year, month, length) else {
                    Issue.record("end of \(year)-\(month)")
                    return
                }
                number += Int64(length)
                weekday += length
            }
        }
        #expect(CivilTime("9999-12-31")?.day.number == number - 1)
    }

    @Test func `known days have their weekdays`() {
        #expect(CivilTime("1970-01-01")?.weekday == .thursday)
        #expect(CivilTime("2000-02-29")?.weekday == .tuesday)
        #expect(CivilTime("2026-01-05 09:00")?.weekday == .monday)
        #expect(CivilTime("1969-12-31 23:59:59")?.seconds == -1)
    }

    @Test(arguments: ["2026-12-24", "2026-12-24 00:00", "2026-12-24T00:00", "2026-12-24T00:00:00"])
    func `a time can be written in four ways`(text: String) {
        #expect(CivilTime(text)?.seconds == 1_798_070_400)
        #expect(CivilTime(text)?.description == "2026-12-24 00:00")
    }

    @Test(arguments: [
        "", "2026", "2026-1-05", "2026-13-01", "2026-02-29", "2026-00-10", "2026-01-00", "0000-01-01",
        "2026-01-05 24:00",
        "2026-01-05 09:60", "2026-01-05 9:00", "2026-01-05 09:00:60", "2026-01-05 09:00 ", "2026-01-05  09:00",
        "+026-01-05", "2026-01-05 09:00Z", "2026-01-05 09", "٢٠٢٦-01-05",
    ])
    func `what is no date or time is refused`(text: String) {
        #expect(CivilTime(text) == nil)
    }

    @Test func `what is written is read again`() {
        for seconds: Int64 in [0, 1, 59, 86_399, -1, -86_400, 1_798_070_461, 253_402_300_799] {
            let time = CivilTime(seconds: seconds)
            #expect(CivilTime(time.description) == time)
        }
    }
}
