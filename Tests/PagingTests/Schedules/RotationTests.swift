import OakumModel
import OakumTestKit
import Paging
import Testing

@Suite
struct RotationTests {
    private func schedule(
        zone: String = "Europe/Vienna", members: [String] = ["ada", "ben", "cleo"], start: String = "2026-01-05 09:00",
        turn: Int64 = week, windows: [WeeklyWindow] = []
    ) throws -> Schedule {
        Schedule(
            name: "primary", zone: try ZoneVectors.zone(zone),
            rotations: [Rotation(members: members, start: civil(start), turnSeconds: turn, windows: windows)])
    }

    @Test func `members take turns and begin again after the last`() throws {
        let schedule = try schedule()
        #expect(schedule.onCall(at: utc("2026-01-05 08:00")) == ["ada"])
        #expect(schedule.onCall(at: utc("2026-01-12 07:59:59")) == ["ada"])
        #expect(schedule.onCall(at: utc("2026-01-12 08:00")) == ["ben"])
        #expect(schedule.onCall(at: utc("2026-01-19 08:00")) == ["cleo"])
        #expect(schedule.onCall(at: utc("2026-01-26 08:00")) == ["ada"])
        #expect(schedule.onCall(at: utc("2126-01-07 12:00")).count == 1)
    }

    @Test func `nobody is on call before the start, and without members`() throws {
        #expect(try schedule().onCall(at: utc("2026-01-05 07:59:59")) == [])
        #expect(try schedule(members: []).onCall(at: utc("2026-02-05 08:00")) == [])
    }

    @Test func `a handover at nine stays at nine by the clock on the wall when clocks are changed`() throws {
        let schedule = try schedule()
        // Handovers on Mondays at 09:00: 08:00 UTC in winter, 07:00 UTC in summer.
        let shifts = schedule.shifts(from: utc("2026-03-17 00:00"), until: utc("2026-04-07 00:00"))
        #expect(
            shifts.map { $0.words }.dropLast() == [
                "ben until 2026-03-23 08:00", "cleo until 2026-03-30 07:00", "ada until 2026-04-06 07:00",
            ])
        let autumn = schedule.shifts(from: utc("2026-10-20 00:00"), until: utc("2026-11-03 00:00"))
        #expect(autumn.map { $0.words }.dropLast() == ["cleo until 2026-10-26 08:00", "ada until 2026-11-02 08:00"])
    }

    @Test func `a handover in the hour that is skipped happens when clocks are changed`() throws {
        let schedule = try schedule(start: "2026-03-27 02:30", turn: day)
        let shifts = schedule.shifts(from: utc("2026-03-28 00:00"), until: utc("2026-03-31 00:00"))
        #expect(
            shifts.map { $0.words }.dropLast() == [
                "ada until 2026-03-28 01:30", "ben until 2026-03-29 01:00", "cleo until 2026-03-30 00:30",
            ])
    }

    @Test func `a handover in the hour that comes twice happens the first time, and not again`() throws {
        let schedule = try schedule(start: "2026-10-23 02:30", turn: day)
        let shifts = schedule.shifts(from: utc("2026-10-24 12:00"), until: utc("2026-10-27 00:00"))
        #expect(shifts.map { $0.words }.dropLast() == ["ben until 2026-10-25 00:30", "cleo until 2026-10-26 01:30"])
        // Clocks show 02:10 for the second time: the turn that ended at 02:30 has not come back.
        #expect(schedule.onCall(at: utc("2026-10-25 01:10")) == ["cleo"])
    }

    @Test func `hourly turns vanish in the hour that is skipped, and last two hours when it comes twice`() throws {
        let schedule = try schedule(start: "2026-03-29 00:00", turn: hour)
        let spring = schedule.shifts(from: utc("2026-03-28 23:00"), until: utc("2026-03-29 03:00"))
        // 02:00 to 03:00, cleo's turn, does not exist.
        #expect(
            spring.map { $0.words } == [
                "ada until 2026-03-29 00:00", "ben until 2026-03-29 01:00", "ada until 2026-03-29 02:00",
                "ben until 2026-03-29 03:00",
            ])
        let autumn = try self.schedule(start: "2026-10-25 00:00", turn: hour)
            .shifts(from: utc("2026-10-24 22:00"), until: utc("2026-10-25 03:00"))
        #expect(
            autumn.map { $0.words } == [
                "ada until 2026-10-24 23:00", "ben until 2026-10-25 00:00", "cleo until 2026-10-25 02:00",
                "ada until 2026-10-25 03:00",
            ])
    }

    @Test func `a day that a country skipped is nobody's turn`() throws {
        // Samoa had no 30 December 2011: the turns of the 29th and the 31st meet.
        let schedule = try schedule(zone: "Pacific/Apia", start: "2011-12-28 00:00", turn: day)
        let shifts = schedule.shifts(from: utc("2011-12-28 10:00"), until: utc("2012-01-01 09:00"))
        #expect(
            shifts.map { $0.words } == [
                "ada until 2011-12-29 10:00", "ben until 2011-12-30 10:00", "ada until 2011-12-31 10:00",
                "ben until 2012-01-01 09:00",
            ])
    }

    @Test func `a rotation can be limited to times of the week, over midnight too`() throws {
        let office = WeeklyWindow(
            days: [.monday, .tuesday, .wednesday, .thursday, .friday], fromSecond: 9 * hour, untilSecond: 17 * hour)
        let night = WeeklyWindow(days: [.friday], fromSecond: 22 * hour, untilSecond: 6 * hour)
        let schedule = try schedule(members: ["ada"], windows: [office, night])
        let shifts = schedule.shifts(from: utc("2026-01-08 00:00"), until: utc("2026-01-12 12:00"))
        #expect(
            shifts.map { $0.words } == [
                "nobody until 2026-01-08 08:00", "ada until 2026-01-08 16:00", "nobody until 2026-01-09 08:00",
                "ada until 2026-01-09 16:00", "nobody until 2026-01-09 21:00", "ada until 2026-01-10 05:00",
                "nobody until 2026-01-12 08:00", "ada until 2026-01-12 12:00",
            ])
        #expect(schedule.shift(at: utc("2026-01-10 12:00")).next == ["ada"])
    }

    @Test func `a window that closes within the hour that comes twice closes once`() throws {
        let window = WeeklyWindow(days: [.saturday], fromSecond: 20 * hour, untilSecond: 2 * hour + 1_800)
        let schedule = try schedule(members: ["ada"], windows: [window])
        let shifts = schedule.shifts(from: utc("2026-10-24 12:00"), until: utc("2026-10-25 12:00"))
        #expect(
            shifts.map { $0.words } == [
                "nobody until 2026-10-24 18:00", "ada until 2026-10-25 00:30", "nobody until 2026-10-25 12:00",
            ])
    }

    @Test func `shifts leave no hole, and say what being on call says at every instant`() async throws {
        let zones = try ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
            .map(ZoneVectors.zone)
        try await forAll(seeds: 60) { generator in
            guard let zone = generator.pick(zones), let turn = generator.pick([hour, 12 * hour, day, 2 * day, week])
            else { return }
            let start = CivilTime(seconds: Int64(generator.int(1_767_225_600...1_798_761_600)))
            let members = Array(["ada", "ben", "cleo", "ada"].prefix(generator.int(1...4)))
            var schedule = Schedule(
                name: "x", zone: zone, rotations: [Rotation(members: members, start: start, turnSeconds: turn)])
            for _ in 0..<generator.int(0...4) {
                let from = CivilTime(seconds: Int64(generator.int(1_767_225_600...1_798_761_600)))
                let effect = generator.pick([ScheduleOverride.Effect.replace, .add, .replacing("ada")]) ?? .add
                schedule.overrides.append(
                    ScheduleOverride(
                        person: "dora", from: from, until: from + Int64(generator.int(0...500_000)), effect: effect))
            }
            let from = WallTime(milliseconds: Int64(generator.int(1_767_225_600...1_798_761_600)) * 1_000)
            let until = WallTime(milliseconds: from.milliseconds + 20 * day * 1_000)
            let shifts = schedule.shifts(from: from, until: until)
            #expect(shifts.first?.from == from)
            #expect(shifts.last?.until == until)
            for (shift, next) in zip(shifts, shifts.dropFirst()) {
                #expect(shift.until == next.from)
                #expect(shift.people != next.people)
            }
            for _ in 0..<50 {
                let at = WallTime(milliseconds: from.milliseconds + Int64(generator.int(0...Int(20 * day) - 1)) * 1_000)
                let shift = shifts.last { $0.from <= at }
                #expect(shift?.people == schedule.onCall(at: at))
            }
        }
    }
}
